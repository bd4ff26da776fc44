CREATE TABLE tokens (
  address text PRIMARY KEY,
  symbol text NOT NULL,
  name text NOT NULL,
  decimals integer NOT NULL CHECK (decimals BETWEEN 0 AND 30),
  supply bigint NOT NULL,
  price numeric NOT NULL,
  listed boolean NOT NULL,
  first_seen timestamptz NOT NULL DEFAULT now()
);
