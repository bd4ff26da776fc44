-- The trading platform's tables, and a few rows to try its jobs on.

-- What the exchange says is kept to the last decimal: an amount is refused rather than rounded.
CREATE DOMAIN exact AS numeric(38, 18);

CREATE TABLE users (
    id integer PRIMARY KEY,
    email text NOT NULL UNIQUE,
    daily_summary boolean NOT NULL DEFAULT true
);

CREATE TABLE portfolios (
    id integer PRIMARY KEY,
    user_id integer NOT NULL REFERENCES users,
    account text NOT NULL UNIQUE, -- at the exchange
    cash exact NOT NULL DEFAULT 0,
    synced_at timestamptz,
    tried_at timestamptz -- with or without success: who was tried longest ago is the next
);

CREATE TABLE holdings (
    portfolio_id integer NOT NULL REFERENCES portfolios,
    symbol text NOT NULL,
    quantity exact NOT NULL CHECK (quantity > 0),
    PRIMARY KEY (portfolio_id, symbol)
);

-- What was last paid for a symbol, by the exchange's number of the trade: seen twice, it is one quote.
CREATE TABLE quotes (
    symbol text NOT NULL,
    trade bigint NOT NULL,
    price exact NOT NULL CHECK (price > 0),
    at timestamptz NOT NULL DEFAULT now(),
    seen_at timestamptz NOT NULL DEFAULT now(), -- when the exchange last said that it is the latest
    PRIMARY KEY (symbol, trade)
);
CREATE INDEX quotes_at ON quotes (symbol, at DESC, trade DESC);

CREATE TABLE market_stats (
    symbol text PRIMARY KEY,
    opening exact NOT NULL,
    closing exact NOT NULL,
    low exact NOT NULL,
    high exact NOT NULL,
    quotes integer NOT NULL
);

CREATE TABLE risk_limits (
    portfolio_id integer PRIMARY KEY REFERENCES portfolios,
    largest_share_percent numeric(5, 2), -- no symbol may be a larger part of the portfolio
    least_value numeric(40, 2)
);

CREATE TABLE risks (
    portfolio_id integer PRIMARY KEY REFERENCES portfolios,
    value numeric(40, 2) NOT NULL,
    largest_symbol text,
    largest_share_percent numeric(5, 2) NOT NULL,
    measured_at timestamptz NOT NULL
);

CREATE TABLE breaches (
    id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    portfolio_id integer NOT NULL REFERENCES portfolios,
    broken_limit text NOT NULL,
    opened_at timestamptz NOT NULL DEFAULT now(),
    closed_at timestamptz
);
CREATE UNIQUE INDEX breaches_open ON breaches (portfolio_id, broken_limit) WHERE closed_at IS NULL;

CREATE TABLE alerts (
    id integer PRIMARY KEY,
    user_id integer NOT NULL REFERENCES users,
    symbol text NOT NULL,
    direction text NOT NULL CHECK (direction IN ('above', 'below')),
    price exact NOT NULL,
    triggered_at timestamptz
);

-- A mail is put down here by the transaction that gives rise to it, under a key that it can have only once.
CREATE TABLE mails (
    key text PRIMARY KEY,
    kind text NOT NULL,
    user_id integer NOT NULL REFERENCES users,
    subject text NOT NULL,
    body text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    sent_at timestamptz,
    refused_at timestamptz
);
CREATE INDEX mails_waiting ON mails (kind, key) WHERE sent_at IS NULL AND refused_at IS NULL;

CREATE TABLE bots (
    id text PRIMARY KEY,
    status text NOT NULL,
    heartbeat_age_seconds integer NOT NULL,
    checked_at timestamptz NOT NULL,
    unhealthy_since timestamptz,
    restarts integer NOT NULL DEFAULT 0, -- since it was last healthy
    restarted_at timestamptz
);

CREATE TABLE daily_reports (
    day date NOT NULL,
    portfolio_id integer NOT NULL REFERENCES portfolios,
    opening_value numeric(40, 2) NOT NULL,
    closing_value numeric(40, 2) NOT NULL,
    unpriced text[] NOT NULL DEFAULT '{}', -- symbols that count for nothing in it
    PRIMARY KEY (day, portfolio_id)
);

CREATE TABLE sessions (
    id text PRIMARY KEY,
    user_id integer NOT NULL REFERENCES users,
    expires_at timestamptz NOT NULL
);

CREATE TABLE audit_log (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at timestamptz NOT NULL DEFAULT now(),
    action text NOT NULL
);

-- What each holding was worth at a moment; no value where its symbol had no quote yet.
CREATE FUNCTION positions_at(moment timestamptz)
RETURNS TABLE (portfolio_id integer, symbol text, value numeric) LANGUAGE sql STABLE AS $$
    SELECT holdings.portfolio_id, holdings.symbol, holdings.quantity * latest.price
    FROM holdings
    LEFT JOIN LATERAL (
        SELECT quotes.price FROM quotes
        WHERE quotes.symbol = holdings.symbol AND quotes.at <= moment
        ORDER BY quotes.at DESC, quotes.trade DESC LIMIT 1
    ) AS latest ON true
$$;

-- What each portfolio was worth, as it is held now.
CREATE FUNCTION values_at(moment timestamptz)
RETURNS TABLE (portfolio_id integer, value numeric) LANGUAGE sql STABLE AS $$
    SELECT portfolios.id, round(portfolios.cash + coalesce(sum(positions.value), 0), 2)
    FROM portfolios
    LEFT JOIN positions_at(moment) AS positions ON positions.portfolio_id = portfolios.id
    GROUP BY portfolios.id
$$;

INSERT INTO users (id, email, daily_summary) VALUES
    (1, 'ada@example.com', true),
    (2, 'ben@example.com', true),
    (3, 'cleo@example.com', false);

INSERT INTO portfolios (id, user_id, account) VALUES
    (1, 1, 'ACC-1'), (2, 1, 'ACC-2'), (3, 2, 'ACC-3'), (4, 3, 'ACC-4');

INSERT INTO quotes (symbol, trade, price, at) VALUES
    ('BTC', 100, 60000, now() - interval '60 days'),
    ('BTC', 101, 61000, now() - interval '49 hours'),
    ('BTC', 102, 62000, now() - interval '23 hours'),
    ('BTC', 103, 59000, now() - interval '12 hours'),
    ('BTC', 104, 63000, now() - interval '1 hour'),
    ('ETH', 200, 2900, now() - interval '49 hours'),
    ('ETH', 201, 3000, now() - interval '2 hours'),
    ('SOL', 300, 150, now() - interval '49 hours');

INSERT INTO risk_limits (portfolio_id, largest_share_percent, least_value) VALUES
    (1, 60, NULL), (2, NULL, 50000), (3, 60, 1000);

INSERT INTO alerts (id, user_id, symbol, direction, price) VALUES
    (1, 1, 'BTC', 'above', 63000),
    (2, 2, 'ETH', 'below', 2500),
    (3, 3, 'SOL', 'below', 150),
    (4, 1, 'BTC', 'above', 70000);

INSERT INTO sessions (id, user_id, expires_at) VALUES
    ('s1', 1, now() - interval '1 minute'),
    ('s2', 1, now() + interval '1 day'),
    ('s3', 2, now() - interval '9 days');

INSERT INTO audit_log (at, action) VALUES
    (now() - interval '91 days', 'login'),
    (now() - interval '90 days 1 minute', 'logout'),
    (now() - interval '89 days', 'login');
