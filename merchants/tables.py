"""The merchant directory in SQL: merchants, their locations, and the numbers they ring from."""

from __future__ import annotations

from sqlmodel import Field, SQLModel, UniqueConstraint


class Merchant(SQLModel, table=True):
    """A business we support. Its name is what an import knows it by."""

    __tablename__ = "merchant"

    id: int | None = Field(default=None, primary_key=True)
    name: str = Field(max_length=120)
    key: str = Field(max_length=240, index=True, unique=True)
    """The name in the form in which names are compared: ``str.casefold``."""

    tier: str = Field(default="standard", max_length=40)
    product: str = Field(default="", max_length=120)
    language: str = Field(default="en", max_length=8)
    region: str = Field(default="", max_length=120, sa_column_kwargs={"server_default": ""})
    rail: str = Field(default="", max_length=120, sa_column_kwargs={"server_default": ""})
    """The payment rail: who carries their card payments."""
    device: str = Field(default="", max_length=500, sa_column_kwargs={"server_default": ""})
    """Their devices, separated by ``;``."""


class Location(SQLModel, table=True):
    """One of a merchant's shops."""

    __tablename__ = "merchant_location"
    __table_args__ = (UniqueConstraint("merchant_id", "name"),)

    id: int | None = Field(default=None, primary_key=True)
    merchant_id: int = Field(foreign_key="merchant.id", index=True, ondelete="CASCADE")
    name: str = Field(max_length=120)


class MerchantNumber(SQLModel, table=True):
    """A telephone number (E.164). It belongs to one merchant, and to one location if that is known."""

    __tablename__ = "merchant_number"

    number: str = Field(primary_key=True, max_length=20)
    merchant_id: int = Field(foreign_key="merchant.id", index=True, ondelete="CASCADE")
    location_id: int | None = Field(
        default=None, foreign_key="merchant_location.id", index=True, ondelete="SET NULL"
    )
