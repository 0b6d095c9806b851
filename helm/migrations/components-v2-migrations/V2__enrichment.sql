-- Where what is known of a component comes from, and the runs that brought it.
CREATE TABLE sources (
  id        uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  key       text NOT NULL UNIQUE,
  name      text NOT NULL,
  priority  integer NOT NULL DEFAULT 100
);

CREATE TABLE source_records (
  id            uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  source_id     uuid NOT NULL REFERENCES sources (id),
  component_id  uuid REFERENCES components (id) ON DELETE CASCADE,
  external_id   text NOT NULL,
  payload       jsonb NOT NULL,
  fetched_at    timestamptz NOT NULL DEFAULT now(),
  UNIQUE (source_id, external_id)
);
CREATE INDEX source_records_component ON source_records (component_id);

CREATE TABLE enrichment_runs (
  id            uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  component_id  uuid NOT NULL REFERENCES components (id) ON DELETE CASCADE,
  workflow_id   text NOT NULL,
  run_id        text NOT NULL,
  status        text NOT NULL DEFAULT 'running' CHECK (status IN ('running', 'succeeded', 'failed', 'cancelled')),
  result        jsonb,
  started_at    timestamptz NOT NULL DEFAULT now(),
  ended_at      timestamptz,
  UNIQUE (workflow_id, run_id)
);
CREATE INDEX enrichment_runs_component ON enrichment_runs (component_id, started_at DESC);

INSERT INTO sources (key, name, priority) VALUES
  ('supplier', 'Component data supplier', 10),
  ('datasheet', 'Data sheets', 20),
  ('ai', 'AI provider', 90),
  ('manual', 'People', 1);
