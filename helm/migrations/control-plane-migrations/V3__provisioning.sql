-- What provisioning does for a tenant: one row per workflow, and what it has made.
CREATE TABLE main.provisioning_jobs (
  id           uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  tenant_id    uuid NOT NULL REFERENCES main.tenants (id),
  workflow_id  text NOT NULL,
  run_id       text,
  kind         text NOT NULL CHECK (kind IN ('provision', 'deprovision', 'suspend', 'resume')),
  status       text NOT NULL DEFAULT 'running' CHECK (status IN ('running', 'succeeded', 'failed', 'cancelled')),
  error        text,
  started_on   timestamptz NOT NULL DEFAULT now(),
  ended_on     timestamptz,
  UNIQUE (workflow_id, run_id)
);
CREATE INDEX provisioning_jobs_tenant ON main.provisioning_jobs (tenant_id, started_on DESC);

CREATE TABLE main.resources (
  id           uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  tenant_id    uuid NOT NULL REFERENCES main.tenants (id) ON DELETE CASCADE,
  kind         text NOT NULL,
  external_id  text NOT NULL,
  metadata     jsonb NOT NULL DEFAULT '{}',
  created_on   timestamptz NOT NULL DEFAULT now(),
  UNIQUE (kind, external_id)
);

-- Events for the app plane, written in the transaction that causes them.
CREATE TABLE main.outbox (
  id            bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  topic         text NOT NULL,
  tenant_id     uuid REFERENCES main.tenants (id),
  payload       jsonb NOT NULL,
  created_on    timestamptz NOT NULL DEFAULT now(),
  delivered_on  timestamptz
);
CREATE INDEX outbox_undelivered ON main.outbox (id) WHERE delivered_on IS NULL;
