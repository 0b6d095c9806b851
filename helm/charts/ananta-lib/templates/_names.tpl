{{/* Names, labels and small values. Every template takes the chart's root, or a dict with Values, Release, Chart. */}}

{{- define "ananta.fullname" -}}
{{ .Values.fullnameOverride | default .Release.Name | trunc 63 | trimSuffix "-" }}
{{- end }}

{{- define "ananta.selectorLabels" -}}
app.kubernetes.io/name: {{ .Chart.Name }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- with .Values.component }}
app.kubernetes.io/component: {{ . }}
{{- end }}
{{- end }}

{{/*
Labels of objects, the owner label (OWNER_LABEL in src/contract/names.ts) among them. Never for pod templates, selectors
and claim templates: pods would restart, and the others cannot be changed.
*/}}
{{- define "ananta.labels" -}}
{{ include "ananta.selectorLabels" . }}
app.kubernetes.io/part-of: {{ .Values.partOf | default "ananta" }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
app.kubernetes.io/version: {{ include "ananta.labelValue" .Values.image.tag | quote }}
helm.sh/chart: {{ .Chart.Name }}-{{ .Chart.Version }}
{{- with (.Values.global).environment }}
ananta.dev/environment: {{ . | quote }}
{{- end }}
{{- end }}

{{/* Any tag as the value of a label, which begins and ends with a letter or a digit. Empty where it holds neither. */}}
{{- define "ananta.labelValue" -}}
{{ regexReplaceAll "[^A-Za-z0-9_.-]" (toString .) "_" | trunc 63 | trimAll "_.-" }}
{{- end }}

{{/* Head of an object. Call with (list root kind name). */}}
{{- define "ananta.metadata" -}}
metadata:
  name: {{ index . 1 }}
  namespace: {{ (index . 0).Release.Namespace }}
  labels:
    {{- include "ananta.labels" (index . 0) | nindent 4 }}
{{- end }}

{{/* Name of the Secret made from a Vault path. */}}
{{- define "ananta.secretName" -}}
vault-{{ . | replace "/" "-" }}
{{- end }}

{{/* A value that may refer to the release: (list root value). Most do not, and are spared the template engine. */}}
{{- define "ananta.value" -}}
{{- $value := toString (index . 1) -}}
{{- if contains "{{" $value }}{{ tpl $value (index . 0) }}{{ else }}{{ $value }}{{ end -}}
{{- end }}

{{/* Name of the volume behind a path of the container. */}}
{{- define "ananta.volumeName" -}}
{{ . | trimPrefix "/" | lower | replace "/" "-" | replace "." "-" | replace "_" "-" | trimPrefix "-" | trunc 63 | trimAll "-" }}
{{- end }}

{{/* Prefix of the ConfigMaps that hold files: a Job's are as immutable as the Job. */}}
{{- define "ananta.filesPrefix" -}}
{{- with .Values.job -}}{{ .name | default (include "ananta.fullname" $) }}{{- else -}}{{ include "ananta.fullname" . }}{{- end -}}
{{- end }}

{{/* What keeps its state in one process runs once, however many replicas an environment wants of its services. */}}
{{- define "ananta.replicas" -}}
{{- if .Values.singleton }}{{ min 1 (int .Values.replicaCount) }}{{ else }}{{ int .Values.replicaCount }}{{ end }}
{{- end }}
