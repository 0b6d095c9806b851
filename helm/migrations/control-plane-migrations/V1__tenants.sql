-- Who uses the platform: leads become tenants.
CREATE SCHEMA IF NOT EXISTS main;

CREATE TABLE main.leads (
  id            uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  email         text NOT NULL,
  first_name    text NOT NULL,
  last_name     text NOT NULL,
  company_name  text NOT NULL,
  is_validated  boolean NOT NULL DEFAULT false,
  created_on    timestamptz NOT NULL DEFAULT now(),
  modified_on   timestamptz NOT NULL DEFAULT now()
);
CREATE UNIQUE INDEX leads_email ON main.leads (lower(email));

CREATE TABLE main.tenants (
  id           uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  lead_id      uuid UNIQUE REFERENCES main.leads (id),
  key          text NOT NULL UNIQUE CHECK (key ~ '^[a-z][a-z0-9-]{1,38}[a-z0-9]$'),
  name         text NOT NULL,
  status       text NOT NULL DEFAULT 'pending'
               CHECK (status IN ('pending', 'provisioning', 'active', 'failed', 'suspended', 'deprovisioning', 'inactive')),
  domains      text[] NOT NULL DEFAULT '{}',
  created_on   timestamptz NOT NULL DEFAULT now(),
  modified_on  timestamptz NOT NULL DEFAULT now(),
  deleted_on   timestamptz
);
CREATE INDEX tenants_status ON main.tenants (status) WHERE deleted_on IS NULL;

CREATE TABLE main.tenant_contacts (
  id          uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  tenant_id   uuid NOT NULL REFERENCES main.tenants (id) ON DELETE CASCADE,
  email       text NOT NULL,
  full_name   text NOT NULL,
  is_primary  boolean NOT NULL DEFAULT false,
  created_on  timestamptz NOT NULL DEFAULT now(),
  UNIQUE (tenant_id, email)
);
CREATE UNIQUE INDEX tenant_contacts_primary ON main.tenant_contacts (tenant_id) WHERE is_primary;
