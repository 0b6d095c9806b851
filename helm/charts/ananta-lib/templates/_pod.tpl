{{/* The pod template of every workload, and the container in it. */}}

{{- define "ananta.podTemplate" -}}
{{- $v := .Values -}}
metadata:
  labels:
    {{- include "ananta.selectorLabels" . | nindent 4 }}
    app.kubernetes.io/part-of: {{ $v.partOf | default "ananta" }}
    {{- with $v.podLabels }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
  {{- if or $v.files $v.secretRefs $v.podAnnotations }}
  annotations:
    {{- with $v.files }}
    checksum/files: {{ toJson . | sha256sum | trunc 16 | quote }}
    {{- end }}
    {{- with $v.secretRefs }}
    checksum/secret-references: {{ toJson . | sha256sum | trunc 16 | quote }}
    {{- end }}
    {{- with $v.podAnnotations }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
  {{- end }}
spec:
  {{- include "ananta.podSpec" . | nindent 2 }}
{{- end }}

{{- define "ananta.podSpec" -}}
{{- $root := . -}}
{{- $v := .Values -}}
{{- $security := $v.security | default dict -}}
serviceAccountName: {{ ($v.serviceAccount).name | default (include "ananta.fullname" .) }}
automountServiceAccountToken: {{ ($v.serviceAccount).automount | default false }}
enableServiceLinks: false
{{- if $v.job }}
restartPolicy: Never
{{- end }}
{{- with $v.imagePullSecrets }}
imagePullSecrets:
  {{- range . }}
  - name: {{ . | quote }}
  {{- end }}
{{- end }}
{{- with $v.terminationGracePeriodSeconds }}
terminationGracePeriodSeconds: {{ . }}
{{- end }}
securityContext:
  runAsNonRoot: true
  runAsUser: {{ $security.user | default 10001 }}
  runAsGroup: {{ $security.group | default $security.user | default 10001 }}
  fsGroup: {{ $security.group | default $security.user | default 10001 }}
  fsGroupChangePolicy: OnRootMismatch
  seccompProfile: {type: RuntimeDefault}
{{- if and (not $v.job) (gt (include "ananta.replicas" . | int) 1) }}
topologySpreadConstraints:
  - maxSkew: 1
    topologyKey: kubernetes.io/hostname
    whenUnsatisfiable: ScheduleAnyway
    labelSelector:
      matchLabels:
        {{- include "ananta.selectorLabels" . | nindent 8 }}
{{- end }}
{{- with $v.scheduling }}
{{ toYaml . }}
{{- end }}
{{- with $v.initContainers }}
initContainers:
  {{- range $name, $container := . }}
  - {{ include "ananta.container" (list $root $name (merge (dict "init" true) $container)) | nindent 4 | trim }}
  {{- end }}
{{- end }}
containers:
  - {{ include "ananta.container" (list $root ($v.container | default .Chart.Name) $v) | nindent 4 | trim }}
{{- include "ananta.volumes" . }}
{{- end }}

{{/* (list root name container): an init container gives image, command, env …; the mounts are the pod's. */}}
{{- define "ananta.container" -}}
{{- $root := index . 0 -}}
{{- $v := $root.Values -}}
{{- $c := index . 2 -}}
{{- $image := $c.image | default $v.image -}}
{{- $vault := $v.vault | default dict -}}
name: {{ index . 1 | quote }}
image: "{{ $image.repository }}{{ if $image.digest }}@{{ $image.digest }}{{ else }}:{{ $image.tag }}{{ end }}"
imagePullPolicy: IfNotPresent
{{- with $c.command }}
command: {{ toJson . }}
{{- end }}
{{- with $c.args }}
args:
  {{- include "ananta.value" (list $root (toYaml .)) | nindent 2 }}
{{- end }}
{{- if or $c.envFromField $c.envFromSecret $c.env $vault.login }}
env:
  {{- /* Kubernetes expands $(NAME) only from entries further up: secrets come before what refers to them. */}}
  {{- range $name, $path := $c.envFromField }}
  - {name: {{ $name | quote }}, valueFrom: {fieldRef: {fieldPath: {{ $path | quote }}}}}
  {{- end }}
  {{- range $name, $ref := $c.envFromSecret }}
  - {name: {{ $name | quote }}, valueFrom: {secretKeyRef: {name: {{ if $ref.name }}{{ $ref.name | quote }}{{ else }}{{ include "ananta.secretName" $ref.secret | quote }}{{ end }}, key: {{ $ref.key | quote }}}}}
  {{- end }}
  {{- if $vault.login }}
  - {name: VAULT_ADDR, value: {{ $vault.address | quote }}}
  - {name: VAULT_PATHS, value: {{ join "," $vault.paths | quote }}}
  - {name: VAULT_ROLE, value: {{ $vault.role | quote }}}
  {{- if $vault.caSecret }}
  - {name: VAULT_CACERT, value: /var/run/secrets/vault/ca.crt}
  {{- end }}
  {{- end }}
  {{- range $name, $value := $c.env }}
  - {name: {{ $name | quote }}, value: {{ include "ananta.value" (list $root $value) | quote }}}
  {{- end }}
{{- end }}
{{- if not $c.init }}
{{- if or ($v.service).ports $v.containerPorts }}
ports:
  {{- range ($v.service).ports }}
  - {name: {{ .name | quote }}, containerPort: {{ .containerPort }}, protocol: TCP}
  {{- end }}
  {{- range $name, $port := $v.containerPorts }}
  - {name: {{ $name | quote }}, containerPort: {{ $port }}, protocol: TCP}
  {{- end }}
{{- end }}
{{- include "ananta.probes" $root }}
{{- with $v.lifecycle }}
lifecycle:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}
resources:
  {{- toYaml ($c.resources | default $v.resources) | nindent 2 }}
securityContext:
  allowPrivilegeEscalation: false
  readOnlyRootFilesystem: {{ ne (toString ($c.security).readOnlyRoot) "false" }}
  capabilities: {drop: [ALL]}
{{- include "ananta.volumeMounts" $root }}
{{- end }}

{{/* Three probes of one HTTP path, unless the values say otherwise; startup gives it three minutes. */}}
{{- define "ananta.probes" -}}
{{- $probes := dict -}}
{{- with .Values.health -}}
{{- $get := dict "path" .path "port" (.port | default "http") -}}
{{- $probes = dict
  "startup" (dict "httpGet" $get "periodSeconds" 2 "timeoutSeconds" 3 "failureThreshold" 90)
  "readiness" (dict "httpGet" $get "periodSeconds" 5 "timeoutSeconds" 3)
  "liveness" (dict "httpGet" $get "periodSeconds" 15 "timeoutSeconds" 5 "failureThreshold" 4) -}}
{{- end -}}
{{- range $kind, $probe := merge (deepCopy (.Values.probes | default dict)) $probes }}
{{- if $probe }}
{{ $kind }}Probe:
  {{- toYaml $probe | nindent 2 }}
{{- end }}
{{- end }}
{{- end }}
