-- The catalogue. A token is known by its address; first_seen is when we learned of it.

CREATE TABLE tokens (
  address text PRIMARY KEY,
  symbol text NOT NULL,
  name text NOT NULL,
  decimals integer NOT NULL CHECK (decimals BETWEEN 0 AND 30),
  tags jsonb NOT NULL DEFAULT '[]',
  first_seen timestamptz NOT NULL DEFAULT now()
);
