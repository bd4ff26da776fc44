"""The table that records go into: its columns, and the statements that write a batch."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from job_runner.errors import ConfigurationError, DataError
from job_runner.fetching.copy_text import Column, Kind
from job_runner.fetching.fields import path_of

if TYPE_CHECKING:
    import psycopg
    from psycopg.sql import Composable, Composed

BATCH = "scheduledjob_batch"
"""The temporary table that a batch is copied into. Its name has no digits: see `writing`."""

MAY_BE_MISSING = "?"
"""Behind the path of a field that may be missing in all records."""

_COLUMNS = """
    SELECT a.attname, format_type(a.atttypid, a.atttypmod), base.typname, base.typcategory,
           a.atthasdef OR a.attidentity <> '' OR a.attgenerated <> '',
           a.attidentity = 'a' OR a.attgenerated <> ''
    FROM pg_attribute a
    JOIN pg_type t ON t.oid = a.atttypid
    JOIN pg_type base ON base.oid = CASE WHEN t.typtype = 'd' THEN t.typbasetype ELSE t.oid END
    WHERE a.attrelid = to_regclass(%s) AND a.attnum > 0 AND NOT a.attisdropped
    ORDER BY a.attnum
"""

_IS_PLAIN = "SELECT relkind = 'r' FROM pg_class WHERE oid = to_regclass(%s)"


@dataclass(frozen=True)
class Target:
    """table: schema and name; types: SQL type of each column; key: the columns that tell records apart."""

    table: tuple[str, ...]
    columns: tuple[Column, ...]
    types: tuple[str, ...]
    key: tuple[str, ...]
    update: bool
    plain: bool = True
    """Whether rows tell by their xmax that they are new: those of partitions and views do not."""

    def create(self) -> "Composed":
        """The temporary table: the columns of the table without their constraints."""
        from psycopg.sql import SQL, Identifier  # noqa: PLC0415

        columns = [
            SQL("{} {}").format(Identifier(column.name), SQL(kind))  # as format_type has written it
            for column, kind in zip(self.columns, self.types, strict=True)
        ]
        return SQL("CREATE TEMPORARY TABLE {} ({})").format(Identifier(BATCH), SQL(", ").join(columns))

    def copy(self, *table: str) -> "Composed":
        """Takes a batch into the table itself, or into the temporary one."""
        from psycopg.sql import SQL, Identifier  # noqa: PLC0415

        names = self._names([column.name for column in self.columns])
        return SQL("COPY {} ({}) FROM STDIN (FORMAT text, ENCODING 'UTF8')").format(Identifier(*table), names)

    @property
    def changes(self) -> tuple[str, ...]:
        """The columns in which a record may change a row that is there."""
        return tuple(column.name for column in self.columns if self.update and column.name not in self.key)

    def insert(self, *, rows: int | None = None) -> "Composed":
        """Answers a row (new, changed) where rows may change. rows: only so many of the batch's first.

        In the order of the key: two runs at once then wait for each other instead of in a circle.
        """
        from psycopg.sql import SQL, Identifier, Literal  # noqa: PLC0415

        names = self._names([column.name for column in self.columns])
        key = self._names(self.key)
        batch: Composable = Identifier(BATCH)
        if rows is not None:
            batch = SQL("(SELECT ctid, * FROM {} ORDER BY ctid LIMIT {}) AS beginning").format(
                batch, Literal(rows)
            )
        # ctid is the place in the temporary table, and so in the batch. Of twins the first is kept, or, where
        # the later one is the change, the last.
        unique: Composable = SQL("")
        order, conflict = SQL("ctid"), self._conflict()
        if self.changes:
            unique, order = SQL("DISTINCT ON ({})").format(key), SQL("ctid DESC")
        insert = SQL(
            "INSERT INTO {} AS target ({names}) SELECT {} {names} FROM {} ORDER BY {key}, {}"
            " ON CONFLICT ({key}) {}"
        ).format(Identifier(*self.table), unique, batch, order, conflict, names=names, key=key)
        if not self.changes:
            return insert
        if self.plain:
            return SQL(
                "WITH written AS ({} RETURNING target.xmax = 0 AS is_new)"
                " SELECT count(*) FILTER (WHERE is_new), count(*) FILTER (WHERE NOT is_new) FROM written"
            ).format(insert)
        # All parts of a statement see the table as it was before it. Names that no table has hide none.
        keys, written, new = (Identifier(f"scheduledjob.dev {name}") for name in ("keys", "written", "new"))
        return SQL(
            "WITH {keys} AS (SELECT DISTINCT {key} FROM {}), {written} AS ({} RETURNING 1),"
            " {new} AS (SELECT (SELECT count(*) FROM {keys})"
            " - (SELECT count(*) FROM {keys} JOIN {} AS known USING ({key})) AS count)"
            " SELECT count, greatest((SELECT count(*) FROM {written}) - count, 0) FROM {new}"
        ).format(batch, insert, Identifier(*self.table), key=key, keys=keys, written=written, new=new)

    def _conflict(self) -> "Composable":
        """Only rows that differ are written: a second run changes nothing, not even on disk."""
        from psycopg.sql import SQL, Identifier  # noqa: PLC0415

        if not self.changes:
            return SQL("DO NOTHING")
        settings = [SQL("{0} = excluded.{0}").format(Identifier(name)) for name in self.changes]
        # As text, because not every type can be compared: json for one.
        old = [SQL("target.{}::text").format(Identifier(name)) for name in self.changes]
        new = [SQL("excluded.{}::text").format(Identifier(name)) for name in self.changes]
        return SQL("DO UPDATE SET {} WHERE ROW({}) IS DISTINCT FROM ROW({})").format(
            *(SQL(", ").join(parts) for parts in (settings, old, new))
        )

    @staticmethod
    def _names(names: Sequence[str]) -> "Composed":
        from psycopg.sql import SQL, Identifier  # noqa: PLC0415

        return SQL(", ").join(map(Identifier, names))


def target(
    connection: "psycopg.Connection",
    table: str,
    *,
    columns: Mapping[str, str] | None,
    key: Sequence[str],
    update: bool,
) -> Target:
    """What the arguments of the handler mean for this database. Raises ConfigurationError or DataError."""
    parts = tuple(table.split("."))
    if not 1 <= len(parts) <= 2 or not all(parts):
        raise DataError("table is no name of a table: write TABLE or SCHEMA.TABLE")
    if not key:
        raise DataError("key is empty: name the columns that tell records apart")
    name_of_table = _quoted(connection, parts)
    known = {row[0]: row[1:] for row in connection.execute(_COLUMNS, [name_of_table])}
    if not known:
        raise ConfigurationError(f"there is no table {table}")
    chosen = columns is not None
    if columns is None:
        columns = {name: name for name, (*_, filled, _) in known.items() if name in key or not filled}
    for name in (*columns, *key):
        if name not in known:
            raise ConfigurationError(f"table {table} has no column {name!r}")
        if name not in columns:
            raise DataError(f"columns has no field for {name!r}, which is in the key")
        if known[name][-1]:
            raise ConfigurationError(f"column {name!r} of table {table} is always filled by the database")
    return Target(
        parts,
        tuple(
            _column(name, path, _kind(*known[name][1:3]), in_key=name in key, chosen=chosen)
            for name, path in columns.items()
        ),
        tuple(known[name][0] for name in columns),
        tuple(key),
        update,
        plain=connection.execute(_IS_PLAIN, [name_of_table]).fetchone() == (True,),
    )


def _column(name: str, path: str, kind: Kind, *, in_key: bool, chosen: bool) -> Column:
    """chosen: its path is somebody's, and leads to something."""
    return Column(
        name,
        path_of(path.removesuffix(MAY_BE_MISSING)),
        kind,
        required=in_key,
        expected=chosen and not in_key and not path.endswith(MAY_BE_MISSING),
    )


def _quoted(connection: "psycopg.Connection", parts: tuple[str, ...]) -> str:
    from psycopg.sql import Identifier  # noqa: PLC0415

    return Identifier(*parts).as_string(connection)


def _kind(type_name: str, category: str) -> Kind:
    if type_name in {"json", "jsonb"}:
        return Kind.JSON
    return Kind.ARRAY if category == "A" else Kind.PLAIN
