-- Tenants as the app plane sees them. PostgREST serves the schema public; whoever asks becomes anon,
-- authenticated or service_role, and sees the rows of the tenant that stands in the token.
CREATE SCHEMA IF NOT EXISTS app;
GRANT USAGE ON SCHEMA public, app TO anon, authenticated, service_role;
ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO authenticated, service_role;
ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT USAGE, SELECT ON SEQUENCES TO authenticated, service_role;

-- Tenant of the request; null where there is no token.
CREATE FUNCTION app.tenant_id() RETURNS uuid
LANGUAGE sql STABLE
AS $$ SELECT nullif(nullif(current_setting('request.jwt.claims', true), '')::jsonb ->> 'tenant_id', '')::uuid $$;

CREATE TABLE public.organizations (
  id          uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  tenant_id   uuid NOT NULL UNIQUE,
  name        text NOT NULL,
  settings    jsonb NOT NULL DEFAULT '{}',
  created_at  timestamptz NOT NULL DEFAULT now(),
  updated_at  timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE public.profiles (
  id               uuid PRIMARY KEY,
  organization_id  uuid NOT NULL REFERENCES public.organizations (id) ON DELETE CASCADE,
  tenant_id        uuid NOT NULL,
  email            text NOT NULL,
  full_name        text,
  avatar_path      text,
  created_at       timestamptz NOT NULL DEFAULT now(),
  UNIQUE (tenant_id, email)
);

ALTER TABLE public.organizations ENABLE ROW LEVEL SECURITY;
ALTER TABLE public.profiles ENABLE ROW LEVEL SECURITY;
CREATE POLICY own_tenant ON public.organizations TO authenticated USING (tenant_id = app.tenant_id()) WITH CHECK (tenant_id = app.tenant_id());
CREATE POLICY own_tenant ON public.profiles TO authenticated USING (tenant_id = app.tenant_id()) WITH CHECK (tenant_id = app.tenant_id());
