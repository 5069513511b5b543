"""A Lua file is called by the names its header declares, and by nothing else."""

import sys

import pytest

from foundation import lua


@pytest.fixture
def write(tmp_path, monkeypatch):
    """Puts Lua files into a package of their own and loads one."""
    folder = tmp_path / "scripts_of_a_test" / "lua"
    (folder / "include").mkdir(parents=True)
    (folder.parent / "__init__.py").touch()
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(sys, "dont_write_bytecode", True)

    def load(name, text, **includes):
        (folder / f"{name}.lua").write_text(text)
        for word, body in includes.items():
            (folder / "include" / f"{word}.lua").write_text(body)
        lua.load.cache_clear()
        return lua.load("scripts_of_a_test", name)

    yield load
    sys.modules.pop("scripts_of_a_test", None)
    lua.load.cache_clear()


async def test_keys_and_arguments_arrive_by_their_names_and_kinds(redis, write):
    script = write(
        "tell",
        "-- KEYS  place  string  where\n"
        "-- ARGV  word   str     what\n"
        "-- ARGV  count  int     how often\n"
        "-- ARGV  share  float   how much\n"
        "redis.call('SET', place, word)\n"
        "return {word, count + 1, type(count), tostring(share * 2)}\n",
    )
    told = await script(redis, count=41, place="p", share=0.25, word="x|'\"\n")
    assert told == ["x|'\"\n", 42, "number", "0.5"]
    assert await redis.get("p") == "x|'\"\n"


async def test_groups_of_keys_are_lists_of_equal_length(redis, write):
    script = write(
        "line",
        "-- KEYS  journal    stream  first\n"
        "-- KEYS  waiting[]  zset    one per queue\n"
        "-- KEYS  idle[]     zset    one per queue\n"
        "return {journal, #waiting, waiting[2], idle[1], idle[3]}\n",
    )
    given = {"journal": "j", "waiting": ["w1", "w2", "w3"], "idle": ["i1", "i2", "i3"]}
    assert await script(redis, **given) == ["j", 3, "w2", "i1", "i3"]
    with pytest.raises(TypeError, match=r"line\.lua takes"):
        await script(redis, journal="j", waiting=["w1"], idle=["i1", "i2"])


async def test_a_groups_first_key_needs_no_list(redis, write):
    script = write(
        "first",
        "-- KEYS  journal    stream  first\n"
        "-- KEYS  waiting[]  zset    one per queue\n"
        "-- KEYS  idle[]     zset    one per queue\n"
        "return {waiting[1], idle[1], 'waiting'} -- waiting\n",
    )
    given = {"journal": "j", "waiting": ["w1", "w2"], "idle": ["i1", "i2"]}
    assert await script(redis, **given) == ["w1", "i1", "waiting"]
    assert "local waiting" not in script.source
    assert "local idle" in script.source


@pytest.mark.parametrize(
    "given", [{}, {"place": "p"}, {"place": "p", "word": "w", "more": 1}, {"plaice": "p", "word": 1}]
)
async def test_a_call_that_does_not_fit_the_header_is_refused(redis, write, given):
    script = write(
        "tell", "-- KEYS place string x\n-- ARGV word str x\nreturn redis.call('SET', place, word)"
    )
    with pytest.raises(TypeError, match=r"takes \['place', 'word'\]"):
        await script(redis, **given)
    assert await redis.dbsize() == 0


async def test_a_server_that_forgot_the_script_is_told_again_and_it_runs_once(redis, write):
    script = write("count", "-- KEYS place string x\nreturn redis.call('INCR', place)")
    assert await script(redis, place="p") == 1
    await redis.script_flush()
    assert await script(redis, place="p") == 2
    assert (await redis.script_exists(script.sha)) == [True]


async def test_a_shared_part_goes_before_the_body(redis, write):
    script = write(
        "use",
        "-- INCLUDE twice\n-- ARGV n int x\nreturn twice(n)",
        twice="local function twice(n) return n * 2 end",
    )
    assert await script(redis, n=21) == 42


def test_the_moves_of_a_header_can_be_read(write):
    script = write("move", "-- MOVES waiting -> reserved\n-- MOVES reserved -> waiting  (declined)\nreturn 1")
    assert script.moves == {("waiting", "reserved"), ("reserved", "waiting")}
