-- What tenants buy, and what they are billed.
CREATE TABLE main.plans (
  id           uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  key          text NOT NULL UNIQUE,
  name         text NOT NULL,
  tier         text NOT NULL CHECK (tier IN ('standard', 'premium', 'enterprise')),
  price_cents  bigint NOT NULL CHECK (price_cents >= 0),
  currency     char(3) NOT NULL DEFAULT 'EUR',
  interval     text NOT NULL CHECK (interval IN ('month', 'year')),
  features     jsonb NOT NULL DEFAULT '{}',
  is_offered   boolean NOT NULL DEFAULT true,
  created_on   timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE main.subscriptions (
  id           uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  tenant_id    uuid NOT NULL REFERENCES main.tenants (id),
  plan_id      uuid NOT NULL REFERENCES main.plans (id),
  status       text NOT NULL DEFAULT 'pending' CHECK (status IN ('pending', 'active', 'past_due', 'cancelled', 'expired')),
  starts_on    date NOT NULL,
  ends_on      date,
  created_on   timestamptz NOT NULL DEFAULT now(),
  modified_on  timestamptz NOT NULL DEFAULT now(),
  CHECK (ends_on IS NULL OR ends_on >= starts_on)
);
CREATE UNIQUE INDEX subscriptions_active ON main.subscriptions (tenant_id) WHERE status IN ('active', 'past_due');

CREATE TABLE main.invoices (
  id               uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  subscription_id  uuid NOT NULL REFERENCES main.subscriptions (id),
  number           text NOT NULL UNIQUE,
  status           text NOT NULL DEFAULT 'draft' CHECK (status IN ('draft', 'open', 'paid', 'void')),
  amount_cents     bigint NOT NULL CHECK (amount_cents >= 0),
  currency         char(3) NOT NULL,
  due_on           date NOT NULL,
  paid_on          timestamptz,
  created_on       timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX invoices_subscription ON main.invoices (subscription_id, created_on DESC);

INSERT INTO main.plans (key, name, tier, price_cents, interval, features) VALUES
  ('standard-monthly', 'Standard', 'standard', 4900, 'month', '{"members": 5, "bomItems": 5000}'),
  ('premium-monthly', 'Premium', 'premium', 19900, 'month', '{"members": 25, "bomItems": 100000}'),
  ('enterprise-yearly', 'Enterprise', 'enterprise', 1200000, 'year', '{"members": null, "bomItems": null}');
