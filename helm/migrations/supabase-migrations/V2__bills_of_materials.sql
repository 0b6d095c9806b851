-- What customers upload: bills of materials, their lines, and documents beside them.
CREATE TABLE public.boms (
  id           uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  tenant_id    uuid NOT NULL,
  name         text NOT NULL,
  version      integer NOT NULL DEFAULT 1,
  status       text NOT NULL DEFAULT 'uploaded' CHECK (status IN ('uploaded', 'parsing', 'enriching', 'ready', 'failed')),
  upload_path  text,
  created_by   uuid REFERENCES public.profiles (id),
  created_at   timestamptz NOT NULL DEFAULT now(),
  updated_at   timestamptz NOT NULL DEFAULT now(),
  UNIQUE (tenant_id, name, version)
);

CREATE TABLE public.bom_items (
  id             uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  bom_id         uuid NOT NULL REFERENCES public.boms (id) ON DELETE CASCADE,
  tenant_id      uuid NOT NULL,
  line           integer NOT NULL,
  part_number    text NOT NULL,
  manufacturer   text,
  description    text,
  quantity       numeric NOT NULL CHECK (quantity > 0),
  -- Component of the catalog, once normalised; it lives in another database.
  component_id   uuid,
  match_quality  numeric CHECK (match_quality BETWEEN 0 AND 1),
  UNIQUE (bom_id, line)
);
CREATE INDEX bom_items_part ON public.bom_items (tenant_id, part_number);
CREATE INDEX bom_items_component ON public.bom_items (component_id) WHERE component_id IS NOT NULL;

CREATE TABLE public.documents (
  id            uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  tenant_id     uuid NOT NULL,
  bom_id        uuid REFERENCES public.boms (id) ON DELETE SET NULL,
  bucket        text NOT NULL,
  path          text NOT NULL,
  media_type    text NOT NULL,
  size_bytes    bigint NOT NULL CHECK (size_bytes >= 0),
  sha256        char(64),
  created_at    timestamptz NOT NULL DEFAULT now(),
  UNIQUE (bucket, path)
);

ALTER TABLE public.boms ENABLE ROW LEVEL SECURITY;
ALTER TABLE public.bom_items ENABLE ROW LEVEL SECURITY;
ALTER TABLE public.documents ENABLE ROW LEVEL SECURITY;
CREATE POLICY own_tenant ON public.boms TO authenticated USING (tenant_id = app.tenant_id()) WITH CHECK (tenant_id = app.tenant_id());
CREATE POLICY own_tenant ON public.bom_items TO authenticated USING (tenant_id = app.tenant_id()) WITH CHECK (tenant_id = app.tenant_id());
CREATE POLICY own_tenant ON public.documents TO authenticated USING (tenant_id = app.tenant_id()) WITH CHECK (tenant_id = app.tenant_id());
