"""Figures that the paper prints, from paper.toml: Dice, mean and standard deviation."""

from typing import Any

from srheart_demo.files import catalogue

PrintedRow = dict[str, tuple[float, float]]  # Structure or column → mean, SD
Printed = dict[str, PrintedRow]  # Method → its row

_TABLES: dict[str, Any] = catalogue(__file__, "paper.toml")
TABLE_1: Printed = _TABLES["table_1"]
TABLE_2: Printed = _TABLES["table_2"]
TABLE_3: Printed = _TABLES["table_3"]
TABLE_S1: dict[str, Printed] = _TABLES["table_s1"]  # Level → its table
