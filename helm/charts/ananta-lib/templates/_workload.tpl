{{/* A whole release: one workload and what belongs to it. */}}

{{- define "ananta.release" -}}
{{ include "ananta.serviceAccount" . }}
{{ include "ananta.files" . }}
{{- if .Values.job }}
{{ include "ananta.job" . }}
{{- else if ne .Values.workload "None" }}
{{ include "ananta.workload" . }}
{{ include "ananta.services" . }}
{{- include "ananta.ingress" . }}
{{- end }}
{{ include "ananta.networkPolicy" . }}
{{- end }}

{{- define "ananta.serviceAccount" -}}
---
apiVersion: v1
kind: ServiceAccount
{{ include "ananta.metadata" (list . (($.Values.serviceAccount).name | default (include "ananta.fullname" .))) }}
{{- with ($.Values.serviceAccount).annotations }}
  annotations:
    {{- toYaml . | nindent 4 }}
{{- end }}
automountServiceAccountToken: false
{{- end }}

{{- define "ananta.files" -}}
{{- range $mount, $files := .Values.files }}
---
apiVersion: v1
kind: ConfigMap
{{ include "ananta.metadata" (list $ (printf "%s-%s" (include "ananta.filesPrefix" $) $mount)) }}
{{- if $.Values.job }}
immutable: true
{{- end }}
data:
  {{- toYaml $files | nindent 2 }}
{{- end }}
{{- end }}

{{- define "ananta.workload" -}}
{{- $v := .Values -}}
{{- $name := include "ananta.fullname" . -}}
{{- $stateful := eq $v.workload "StatefulSet" -}}
{{- $replicas := include "ananta.replicas" . | int -}}
---
apiVersion: apps/v1
kind: {{ $v.workload }}
{{ include "ananta.metadata" (list . $name) }}
spec:
  replicas: {{ $replicas }}
  revisionHistoryLimit: 3
  selector:
    matchLabels:
      {{- include "ananta.selectorLabels" . | nindent 6 }}
  {{- if $stateful }}
  serviceName: {{ $name }}-headless
  updateStrategy: {type: {{ $v.updateStrategy | default "RollingUpdate" }}}
  {{- else if and $v.singleton $v.data }}
  # Two pods cannot share the volume.
  strategy: {type: Recreate}
  {{- else }}
  strategy:
    type: RollingUpdate
    rollingUpdate: {maxSurge: 1, maxUnavailable: 0}
  {{- end }}
  template:
    {{- include "ananta.podTemplate" . | nindent 4 }}
  {{- if and $stateful $v.data }}
  volumeClaimTemplates:
    - apiVersion: v1
      kind: PersistentVolumeClaim
      metadata:
        name: data
      spec:
        {{- include "ananta.claimSpec" . | nindent 8 }}
  {{- end }}
{{- if and $v.data (not $stateful) }}
---
apiVersion: v1
kind: PersistentVolumeClaim
metadata:
  name: {{ $name }}
  namespace: {{ .Release.Namespace }}
  labels:
    {{- include "ananta.labels" . | nindent 4 }}
  annotations:
    helm.sh/resource-policy: keep
spec:
  {{- include "ananta.claimSpec" . | nindent 2 }}
{{- end }}
{{- if gt $replicas 1 }}
---
apiVersion: policy/v1
kind: PodDisruptionBudget
{{ include "ananta.metadata" (list . $name) }}
spec:
  maxUnavailable: 1
  selector:
    matchLabels:
      {{- include "ananta.selectorLabels" . | nindent 6 }}
{{- end }}
{{- end }}

{{- define "ananta.job" -}}
---
apiVersion: batch/v1
kind: Job
{{ include "ananta.metadata" (list . (.Values.job.name | default (include "ananta.fullname" .))) }}
spec:
  backoffLimit: {{ .Values.job.backoffLimit }}
  activeDeadlineSeconds: {{ .Values.job.activeDeadlineSeconds }}
  template:
    {{- include "ananta.podTemplate" . | nindent 4 }}
{{- end }}
