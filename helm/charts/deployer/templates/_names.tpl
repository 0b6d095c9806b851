{{/* In place of the library's: these Secrets are made by the installation, not from Vault, which does not exist yet. */}}
{{- define "ananta.secretName" -}}
{{ . | replace "/" "-" }}
{{- end }}
