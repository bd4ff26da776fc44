-- The application's tables, as far as its jobs know them, and a few rows to try them on.

CREATE TABLE users (
  id bigint PRIMARY KEY,
  name text NOT NULL,
  email text NOT NULL UNIQUE,
  wants_digest boolean NOT NULL
);

CREATE TABLE articles (
  id bigint PRIMARY KEY,
  title text NOT NULL,
  body text NOT NULL,
  published_at timestamptz NOT NULL,
  changed_at timestamptz NOT NULL
);

-- indexed is the changed_at of the text that was indexed: what differs is to be indexed again.
CREATE TABLE search_index (
  article bigint PRIMARY KEY REFERENCES articles ON DELETE CASCADE,
  words tsvector NOT NULL,
  indexed timestamptz NOT NULL
);
CREATE INDEX ON search_index USING gin (words);

-- One row for each reader and day: who has one is not written to again. until: what was published up to then is in it.
CREATE TABLE digests (
  reader bigint NOT NULL REFERENCES users ON DELETE CASCADE,
  day date NOT NULL,
  accepted boolean NOT NULL,
  until timestamptz NOT NULL,
  PRIMARY KEY (reader, day)
);

CREATE TABLE rates (
  currency text PRIMARY KEY CHECK (currency ~ '^[A-Z]{3}$'),
  euro numeric NOT NULL CHECK (euro > 0),
  as_of timestamptz NOT NULL
);

CREATE TABLE audit_log (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  happened_at timestamptz NOT NULL,
  what text NOT NULL
);
CREATE INDEX ON audit_log (happened_at);

INSERT INTO users VALUES
  (1, 'Ada', 'ada@example.org', true),
  (2, 'Bela', 'bela@example.org', true),
  (3, 'Chen', 'chen@example.org', false),
  (4, 'Dora', 'dora@example.org', true);

INSERT INTO articles VALUES
  (1, 'Rivers', 'Rivers flow to the sea.', now() - interval '3 hours', now() - interval '3 hours'),
  (2, 'Bridges', 'Bridges cross the rivers.', now() - interval '2 hours', now() - interval '2 hours'),
  (3, 'Mills', 'Mills are turned by water.', now() - interval '30 days', now() - interval '1 day');

INSERT INTO audit_log (happened_at, what)
SELECT now() - (number || ' hours')::interval, 'page ' || number || ' was edited'
FROM generate_series(1, 5000) AS number;
