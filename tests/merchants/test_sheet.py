from __future__ import annotations

import pytest

from foundation.errors import Mendable
from foundation.sheets import BadSheet
from merchants.sheet import Policy, Row, read


def normalise(written: str) -> str:
    """A stand-in for the carrier's: ten digits, or eleven with the 1."""
    digits = "".join(letter for letter in written if letter.isdigit())
    if len(digits) not in (10, 11):
        raise Mendable(f"{written!r} is no telephone number")
    return f"+1{digits[-10:]}"


POLICY = Policy(normalise)
HEADER = "name,tier,numbers,locations,product,language\n"


def faults(content: str | bytes) -> list[tuple[int, str]]:
    with pytest.raises(BadSheet) as bad:
        read(content, POLICY)
    return [(fault.line, fault.reason) for fault in bad.value.faults]


def test_a_row_is_read_whole():
    content = HEADER + "Corner Bakery,Gold,415 555 0101;(415) 555-0102,Main St;Harbor,Till 3,ES\n"
    assert read(content, POLICY) == [
        Row(
            line=2,
            name="Corner Bakery",
            tier="gold",
            numbers=(("+14155550101", ""), ("+14155550102", "")),
            locations=("Main St", "Harbor"),
            product="Till 3",
            language="es",
        )
    ]


def test_what_is_left_out_has_a_default():
    [row] = read("numbers,name\n4155550101,Corner Bakery\n", POLICY)
    assert (row.tier, row.language, row.product, row.locations) == ("standard", "en", "", ())


def test_a_number_may_belong_to_one_location():
    [row] = read(HEADER + "Corner Bakery,,4155550101 = Harbor | 4155550102,Main St|Harbor,,\n", POLICY)
    assert row.numbers == (("+14155550101", "Harbor"), ("+14155550102", ""))


@pytest.mark.parametrize(
    "content",
    [
        "\ufeffname,numbers\r\nCorner Bakery,4155550101\r\n",
        "name,numbers\rCorner Bakery,4155550101\r",
        'Name ; NUMBERS\n"Corner Bakery";"4155550101"\n',
        "name\tnumbers\nCorner Bakery\t4155550101",
        'name,numbers,\n"Corner Bakery",4155550101,\n,,\n\n',
        "\ufeffname,numbers\nCorner Bakery,4155550101\n".encode(),
        "name,numbers\nCorner Bakery,4155550101\n".encode("utf-16"),
    ],
    ids=["bom-crlf", "cr", "semicolons", "tabs", "trailing", "utf-8 bytes", "utf-16"],
)
def test_spreadsheets_write_it_in_many_ways(content: str | bytes):
    [row] = read(content, POLICY)
    assert (row.name, row.numbers) == ("Corner Bakery", (("+14155550101", ""),))


def test_semicolons_between_fields_leave_room_for_several_numbers():
    [row] = read('name;numbers\nCorner Bakery;"4155550101;4155550102"\n', POLICY)
    assert [number for number, _ in row.numbers] == ["+14155550101", "+14155550102"]


def test_quotes_may_hold_separators_quotes_and_line_ends():
    rows = read('name,numbers\n"Ham, Eggs ""&""\nMore",4155550101\nNext,4155550102\n', POLICY)
    assert [(row.line, row.name) for row in rows] == [(2, 'Ham, Eggs "&" More'), (4, "Next")]


def test_every_bad_line_is_named_with_its_reason():
    content = HEADER + (
        "Corner Bakery,gold,4155550101,,,en\n"
        ",gold,4155550102,,,en\n"
        "No Phone,gold,,,,en\n"
        "Odd Tier,platinum,4155550103,,,en\n"
        "Odd Tongue,gold,4155550104,,,fr\n"
        "Odd Number,gold,12,,,en\n"
        "corner bakery,gold,4155550105,,,en\n"
        "Copycat,gold,415-555-0101,,,en\n"
        "Elsewhere,gold,4155550106=Harbor,Main St,,en\n"
        "Too Many,gold,4155550107,,,en,more\n"
        "Twice,gold,4155550108;4155550108,A;A,,en\n"
    )
    assert faults(content) == [
        (3, "it has no name"),
        (4, "it has no telephone number"),
        (5, "'platinum' is no tier; ours are gold, silver, standard"),
        (6, "'fr' is no language we speak; we speak en, es"),
        (7, "'12' is no telephone number"),
        (8, "the name 'corner bakery' is on line 2 already"),
        (9, "the number +14155550101 is on line 2 already"),
        (10, "the number 4155550106 is given to 'Harbor', which is none of its locations"),
        (11, "it has 7 fields, the header 6; put quotes round a field"),
        (12, "the location 'A' is there twice"),
        (12, "the number +14155550108 is there twice"),
    ]


def test_the_message_tells_people_all_of_it():
    with pytest.raises(
        Mendable, match=r"Nothing was imported[^\n]*\nline 2: it has no name\nline 2: it has no tele"
    ):
        read(HEADER + ",gold,,,,\n,,,,,x\n", POLICY)


def test_one_line_with_two_faults_names_both():
    assert [line for line, _ in faults(HEADER + ",platinum,,,,\n")] == [2, 2, 2]


@pytest.mark.parametrize(
    ("content", "line", "reason"),
    [
        ("", 1, "there is no column 'name'"),
        ("name,numbers\n", 1, "there is no merchant"),
        ("name,phone\nA,1\n", 1, "'phone' is no column of ours"),
        ("name,numbers,name\nA,4155550101,B\n", 1, "the column 'name' is there twice"),
        ('name,numbers\nA,4155550101\nB,"4155550102\n', 3, "it cannot be read"),
        ('name,numbers\nA,"415"5550101\n', 2, "it cannot be read"),
        (b"name,numbers\nCaf\xe9,4155550101\n", 2, "it is not UTF-8"),
        (f"name,numbers\n{'x' * 121},4155550101\n", 2, "the name is 121 characters long; 120 are allowed"),
    ],
)
def test_a_broken_file_is_named_not_guessed_at(content: str | bytes, line: int, reason: str):
    found = faults(content)
    assert any(at == line and said.startswith(reason) for at, said in found), found


def test_a_broken_line_does_not_hide_those_after_it():
    content = 'name,numbers\nA,"415"5550101\n,4155550102\nGood,4155550103\n'
    assert [line for line, _ in faults(content)] == [2, 3]


def test_control_characters_do_not_get_into_names():
    [row] = read("name,numbers\nCor\x00ner\x1b[1m Bakery\u2028,4155550101\n", POLICY)
    assert row.name == "Cor ner [1m Bakery"


def test_what_an_incident_asks_about_is_read_too():
    header = "name,numbers,region,rail,device\n"
    [row] = read(header + "Corner Bakery,4155550101, West ,native,Card Reader V3; Printer;Printer\n", POLICY)
    assert (row.region, row.rail, row.devices) == ("West", "native", ("Card Reader V3", "Printer"))
    [bare] = read("name,numbers\nCorner Bakery,4155550101\n", POLICY)
    assert (bare.region, bare.rail, bare.devices) == ("", "", ())


def test_devices_that_do_not_fit_are_named():
    many = ";".join(f"{n} {'x' * 100}" for n in range(5))
    found = faults(f"name,numbers,device\nCorner Bakery,4155550101,{many}\n")
    assert found == [(2, "the devices are more than 500 characters long together")]
