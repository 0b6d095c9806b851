{{/* Volumes of a pod and their mounts: data, writable folders, files from values, Secrets, the token for Vault. */}}

{{- define "ananta.volumeMounts" -}}
{{- $v := .Values -}}
{{- if or $v.data $v.writable $v.files $v.secretFiles $v.volumeMounts ($v.vault).login }}
volumeMounts:
  {{- with $v.data }}
  - {name: data, mountPath: {{ .mountPath | quote }}}
  {{- end }}
  {{- range $path, $_ := $v.writable }}
  - {name: {{ include "ananta.volumeName" $path | quote }}, mountPath: {{ $path | quote }}}
  {{- end }}
  {{- range $mount, $_ := $v.files }}
  - {name: files-{{ $mount }}, mountPath: {{ get ($v.mountPaths | default dict) $mount | default (printf "/files/%s" $mount) | quote }}, readOnly: true}
  {{- end }}
  {{- range $path, $_ := $v.secretFiles }}
  - {name: {{ include "ananta.volumeName" $path | quote }}, mountPath: {{ $path | quote }}, readOnly: true}
  {{- end }}
  {{- if ($v.vault).login }}
  - {name: vault-token, mountPath: /var/run/secrets/vault, readOnly: true}
  {{- end }}
  {{- with $v.volumeMounts }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
{{- end }}
{{- end }}

{{- define "ananta.volumes" -}}
{{- $root := . -}}
{{- $v := .Values -}}
{{- $claim := and $v.data (eq $v.workload "Deployment") -}}
{{- if or $claim $v.writable $v.files $v.secretFiles $v.volumes ($v.vault).login }}
volumes:
  {{- if $claim }}
  - {name: data, persistentVolumeClaim: {claimName: {{ include "ananta.fullname" . }}}}
  {{- end }}
  {{- range $path, $spec := $v.writable }}
  - {name: {{ include "ananta.volumeName" $path | quote }}, emptyDir: {{ toJson ($spec | default dict) }}}
  {{- end }}
  {{- range $mount, $_ := $v.files }}
  - {name: files-{{ $mount }}, configMap: {name: {{ include "ananta.filesPrefix" $root }}-{{ $mount }}, defaultMode: {{ $v.filesMode | default 292 }}}}
  {{- end }}
  {{- range $path, $ref := $v.secretFiles }}
  - name: {{ include "ananta.volumeName" $path | quote }}
    secret:
      secretName: {{ include "ananta.secretName" $ref.secret }}
      defaultMode: 288
      {{- with $ref.keys }}
      items:
        {{- range . }}
        - {key: {{ . | quote }}, path: {{ . | quote }}}
        {{- end }}
      {{- end }}
  {{- end }}
  {{- if ($v.vault).login }}
  - name: vault-token
    projected:
      sources:
        - serviceAccountToken: {audience: vault, expirationSeconds: 3600, path: token}
        {{- with ($v.vault).caSecret }}
        - secret: {name: {{ . | quote }}, items: [{key: ca.crt, path: ca.crt}]}
        {{- end }}
  {{- end }}
  {{- with $v.volumes }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
{{- end }}
{{- end }}

{{/* Spec of the volume claim, for a template of a StatefulSet or a claim of its own. */}}
{{- define "ananta.claimSpec" -}}
accessModes: [ReadWriteOnce]
{{- with (.Values.storage).class }}
storageClassName: {{ . | quote }}
{{- end }}
resources:
  requests:
    storage: {{ (.Values.storage).size | default .Values.data.size | quote }}
{{- end }}
