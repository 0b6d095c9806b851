{{/* Services and the NetworkPolicy. */}}

{{/* (list root ports withNodePorts) */}}
{{- define "ananta.servicePorts" -}}
ports:
  {{- $nodePorts := index . 1 }}
  {{- range index . 0 }}
  - name: {{ .name | quote }}
    port: {{ .port }}
    targetPort: {{ .name | quote }}
    protocol: TCP
    {{- if ne .protocol "tcp" }}
    appProtocol: {{ .protocol | quote }}
    {{- end }}
    {{- if and $nodePorts .nodePort }}
    nodePort: {{ .nodePort }}
    {{- end }}
  {{- end }}
{{- end }}

{{/*
Cluster-internal ports get no NodePort: a Service whose every port has one is of type NodePort,
otherwise each such port has a Service of its own, <release>-<port>.
*/}}
{{- define "ananta.services" -}}
{{- $root := . -}}
{{- $name := include "ananta.fullname" . -}}
{{- $ports := (.Values.service).ports -}}
{{- $exposed := list -}}
{{- range $ports }}{{ if .nodePort }}{{ $exposed = append $exposed . }}{{ end }}{{ end -}}
{{- $all := and $exposed (eq (len $exposed) (len $ports)) -}}
{{- if $ports }}
---
apiVersion: v1
kind: Service
{{ include "ananta.metadata" (list . $name) }}
spec:
  type: {{ if $all }}NodePort{{ else }}ClusterIP{{ end }}
  {{- if (.Values.service).publishNotReady }}
  publishNotReadyAddresses: true
  {{- end }}
  selector:
    {{- include "ananta.selectorLabels" . | nindent 4 }}
  {{- include "ananta.servicePorts" (list $ports $all) | nindent 2 }}
{{- if not $all }}
{{- range $exposed }}
---
apiVersion: v1
kind: Service
{{ include "ananta.metadata" (list $root (printf "%s-%s" $name .name)) }}
spec:
  type: NodePort
  selector:
    {{- include "ananta.selectorLabels" $root | nindent 4 }}
  {{- include "ananta.servicePorts" (list (list .) true) | nindent 2 }}
{{- end }}
{{- end }}
{{- end }}
{{- if eq .Values.workload "StatefulSet" }}
---
apiVersion: v1
kind: Service
{{ include "ananta.metadata" (list . (printf "%s-headless" $name)) }}
spec:
  clusterIP: None
  publishNotReadyAddresses: true
  selector:
    {{- include "ananta.selectorLabels" . | nindent 4 }}
  {{- with $ports }}
  {{- include "ananta.servicePorts" (list . false) | nindent 2 }}
  {{- end }}
{{- end }}
{{- end }}

{{/* One host, whose TLS the ingress controller ends. */}}
{{- define "ananta.ingress" -}}
{{- with .Values.ingress }}
---
apiVersion: networking.k8s.io/v1
kind: Ingress
{{ include "ananta.metadata" (list $ (include "ananta.fullname" $)) }}
{{- with .annotations }}
  annotations:
    {{- toYaml . | nindent 4 }}
{{- end }}
spec:
  {{- with .className }}
  ingressClassName: {{ . | quote }}
  {{- end }}
  rules:
    - host: {{ .host | quote }}
      http:
        paths:
          - path: /
            pathType: Prefix
            backend:
              service:
                name: {{ include "ananta.fullname" $ }}
                port: {name: {{ .port | quote }}}
  {{- with .tlsSecret }}
  tls:
    - hosts: [{{ $.Values.ingress.host | quote }}]
      secretName: {{ . | quote }}
  {{- end }}
{{- end }}
{{- end }}

{{/* Ingress only from the release itself, its named peers, and anywhere for ports that are public. */}}
{{- define "ananta.networkPolicy" -}}
{{- $v := .Values -}}
{{- if ($v.networkPolicy).enabled }}
{{- $ports := ($v.service).ports -}}
{{- $peers := concat ($v.networkPolicy.from | default list) ($v.networkPolicy.alsoFrom | default list) -}}
{{- $public := $v.networkPolicy.publicPorts | default list -}}
{{- range $ports }}{{ if .nodePort }}{{ $public = append $public .name }}{{ end }}{{ end }}
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
{{ include "ananta.metadata" (list . (include "ananta.fullname" .)) }}
spec:
  podSelector:
    matchLabels:
      {{- include "ananta.selectorLabels" . | nindent 6 }}
  policyTypes: [Ingress]
  {{- if not $ports }}
  ingress: []
  {{- else }}
  ingress:
    - from:
        - podSelector:
            matchLabels:
              app.kubernetes.io/instance: {{ .Release.Name }}
    {{- if $peers }}
    - from:
        {{- range $peers }}
        - namespaceSelector:
            matchLabels:
              kubernetes.io/metadata.name: {{ .namespace }}
          {{- with .instance }}
          podSelector:
            matchLabels:
              app.kubernetes.io/instance: {{ . }}
          {{- end }}
        {{- end }}
      ports:
        {{- range $ports }}
        - {port: {{ .name | quote }}, protocol: TCP}
        {{- end }}
    {{- end }}
    {{- with $public }}
    - ports:
        {{- range . }}
        - {port: {{ . | quote }}, protocol: TCP}
        {{- end }}
    {{- end }}
  {{- end }}
{{- end }}
{{- end }}
