-- Who did what: written by the audit logger, read by the tenant, changed by nobody.
CREATE TABLE public.audit_log (
  id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  tenant_id    uuid NOT NULL,
  event_id     uuid NOT NULL UNIQUE,
  actor        text NOT NULL,
  action       text NOT NULL,
  subject      text,
  details      jsonb NOT NULL DEFAULT '{}',
  occurred_at  timestamptz NOT NULL,
  recorded_at  timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX audit_log_tenant ON public.audit_log (tenant_id, occurred_at DESC);

ALTER TABLE public.audit_log ENABLE ROW LEVEL SECURITY;
CREATE POLICY own_tenant ON public.audit_log FOR SELECT TO authenticated USING (tenant_id = app.tenant_id());
REVOKE INSERT, UPDATE, DELETE ON public.audit_log FROM authenticated;
REVOKE UPDATE, DELETE ON public.audit_log FROM service_role;

-- PostgREST learns of new tables.
NOTIFY pgrst, 'reload schema';
