-- The component catalog: manufacturers, components, and the names they go by.
CREATE TABLE manufacturers (
  id          uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  name        text NOT NULL,
  website     text,
  created_at  timestamptz NOT NULL DEFAULT now()
);
CREATE UNIQUE INDEX manufacturers_name ON manufacturers (lower(name));

CREATE TABLE manufacturer_aliases (
  alias            text PRIMARY KEY,
  manufacturer_id  uuid NOT NULL REFERENCES manufacturers (id) ON DELETE CASCADE
);

CREATE TABLE categories (
  id         uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  parent_id  uuid REFERENCES categories (id),
  slug       text NOT NULL UNIQUE,
  name       text NOT NULL
);

CREATE TABLE components (
  id               uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  manufacturer_id  uuid NOT NULL REFERENCES manufacturers (id),
  part_number      text NOT NULL,
  -- Upper case, without separators: what parts are compared by.
  normalized       text GENERATED ALWAYS AS (upper(regexp_replace(part_number, '[^A-Za-z0-9]', '', 'g'))) STORED,
  category_id      uuid REFERENCES categories (id),
  description      text,
  lifecycle        text NOT NULL DEFAULT 'unknown' CHECK (lifecycle IN ('unknown', 'active', 'nrnd', 'last_time_buy', 'obsolete')),
  attributes       jsonb NOT NULL DEFAULT '{}',
  quality          numeric NOT NULL DEFAULT 0 CHECK (quality BETWEEN 0 AND 1),
  created_at       timestamptz NOT NULL DEFAULT now(),
  updated_at       timestamptz NOT NULL DEFAULT now(),
  UNIQUE (manufacturer_id, part_number)
);
CREATE INDEX components_normalized ON components (normalized);
CREATE INDEX components_attributes ON components USING gin (attributes jsonb_path_ops);
