{{/* The names, labels and image references that every template shares. */}}

{{- define "scheduledjob-operator.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 50 | trimSuffix "-" -}}
{{- end -}}

{{/* 50 characters, so that every suffix the templates add still fits into a DNS label. */}}
{{- define "scheduledjob-operator.fullname" -}}
{{- $name := default .Chart.Name .Values.nameOverride -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 50 | trimSuffix "-" -}}
{{- else if contains $name .Release.Name -}}
{{- .Release.Name | trunc 50 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name $name | trunc 50 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{- define "scheduledjob-operator.labels" -}}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" | trunc 63 | trimSuffix "-" }}
app.kubernetes.io/name: {{ include "scheduledjob-operator.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/part-of: scheduledjob
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{- end -}}

{{/* Immutable on the Deployment. The component keeps the test pod out of the Service and the Deployment. */}}
{{- define "scheduledjob-operator.selectorLabels" -}}
app.kubernetes.io/name: {{ include "scheduledjob-operator.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/component: operator
{{- end -}}

{{- define "scheduledjob-operator.serviceAccountName" -}}
{{- if .Values.serviceAccount.create -}}
{{- default (include "scheduledjob-operator.fullname" .) .Values.serviceAccount.name -}}
{{- else -}}
{{- required "serviceAccount.name is needed when serviceAccount.create is false: the operator's rights must not go to the namespace's default ServiceAccount" .Values.serviceAccount.name -}}
{{- end -}}
{{- end -}}

{{/* An image reference of {image: {registry, repository, tag, digest}, version}. */}}
{{- define "scheduledjob-operator.image" -}}
{{- $repository := .image.repository -}}
{{- if .image.registry -}}
{{- $repository = printf "%s/%s" .image.registry .image.repository -}}
{{- end -}}
{{- if .image.digest -}}
{{- printf "%s@%s" $repository .image.digest -}}
{{- else -}}
{{- printf "%s:%s" $repository (default .version .image.tag) -}}
{{- end -}}
{{- end -}}

{{/* The names out of a list of {name: ...}, joined by commas. */}}
{{- define "scheduledjob-operator.secretNames" -}}
{{- $names := list -}}
{{- range . -}}
{{- $names = append $names .name -}}
{{- end -}}
{{- join "," $names -}}
{{- end -}}

{{/* The operator's settings, as environment variables. */}}
{{- define "scheduledjob-operator.settings" -}}
- name: SCHEDULEDJOB_OPERATOR_RUNNER_IMAGE
  value: {{ include "scheduledjob-operator.image" (dict "image" .Values.runner.image "version" .Chart.AppVersion) | quote }}
- name: SCHEDULEDJOB_OPERATOR_RUNNER_IMAGE_PULL_POLICY
  value: {{ .Values.runner.image.pullPolicy | quote }}
- name: SCHEDULEDJOB_OPERATOR_RUNNER_IMAGE_PULL_SECRETS
  value: {{ include "scheduledjob-operator.secretNames" .Values.runner.imagePullSecrets | quote }}
- name: SCHEDULEDJOB_OPERATOR_WATCH_NAMESPACES
  value: {{ join "," .Values.watchNamespaces | quote }}
- name: SCHEDULEDJOB_OPERATOR_PRIORITY_CLASS_PREFIX
  value: {{ .Values.priorityClasses.prefix | quote }}
- name: SCHEDULEDJOB_OPERATOR_LOG_LEVEL
  value: {{ .Values.logging.level | quote }}
- name: SCHEDULEDJOB_OPERATOR_LOG_FORMAT
  value: {{ .Values.logging.format | quote }}
- name: SCHEDULEDJOB_OPERATOR_SUSPENDED
  value: {{ .Values.suspendAll.enabled | quote }}
- name: SCHEDULEDJOB_OPERATOR_SUSPENDED_REASON
  value: {{ .Values.suspendAll.reason | quote }}
- name: SCHEDULEDJOB_OPERATOR_SUSPENDED_UNTIL
  value: {{ .Values.suspendAll.until | quote }}
{{- with .Values.environment }}
- name: SCHEDULEDJOB_OPERATOR_ENVIRONMENT
  value: {{ . | quote }}
{{- end }}
- name: SCHEDULEDJOB_OPERATOR_PUNCTUAL_FIRING
  value: {{ .Values.punctualFiring | quote }}
# The operator works while it holds this Lease, also when it is the only one: upgrades have two for a moment.
- name: SCHEDULEDJOB_OPERATOR_LEASE_NAMESPACE
  valueFrom:
    fieldRef:
      fieldPath: metadata.namespace
- name: SCHEDULEDJOB_OPERATOR_LEASE_NAME
  value: {{ include "scheduledjob-operator.fullname" . | quote }}
- name: SCHEDULEDJOB_OPERATOR_IDENTITY
  valueFrom:
    fieldRef:
      fieldPath: metadata.name
- name: SCHEDULEDJOB_OPERATOR_HTTP_PORT
  value: "8080"
# kopf calls itself by this; without it, it looks for a user name, and uid 65532 has none.
- name: POD_ID
  valueFrom:
    fieldRef:
      fieldPath: metadata.name
{{- end -}}

{{/* The pod's affinity: the user's, or replicas apart. Preferred only, for clusters with fewer nodes than replicas. */}}
{{- define "scheduledjob-operator.affinity" -}}
{{- if .Values.affinity -}}
{{- toYaml .Values.affinity -}}
{{- else if gt (int .Values.replicaCount) 1 -}}
podAntiAffinity:
  preferredDuringSchedulingIgnoredDuringExecution:
    - weight: 100
      podAffinityTerm:
        topologyKey: kubernetes.io/hostname
        labelSelector:
          matchLabels:
            {{- include "scheduledjob-operator.selectorLabels" . | nindent 12 }}
        # Away from pods of its own revision only: those that an upgrade takes away must not push new ones together.
        matchLabelKeys: [pod-template-hash]
{{- end -}}
{{- end -}}

{{/* What the operator may do. All of it, but for its Lease: no secrets, no pods, no deletes but of Jobs. */}}
{{- define "scheduledjob-operator.rules" -}}
- apiGroups: [scheduledjob.dev]
  resources: [scheduledjobs]
  verbs: [get, list, watch]
- apiGroups: [scheduledjob.dev]
  resources: [scheduledjobs/status]
  verbs: [patch]
- apiGroups: [batch]
  resources: [cronjobs]
  verbs: [get, list, watch, create, patch]
- apiGroups: [batch]
  resources: [cronjobs/status]
  verbs: [patch]
- apiGroups: [batch]
  resources: [jobs]
  verbs: [get, list, watch, create, patch, delete]
- apiGroups: [""]
  resources: [pods]
  verbs: [get, list, watch]
- apiGroups: ["", events.k8s.io]
  resources: [events]
  verbs: [create, patch]
# Why a Job got no pod stands in an Event and nowhere else.
- apiGroups: [""]
  resources: [events]
  verbs: [list]
# A namespace's annotations suspend what is in it. A Role lets the operator read its own namespace, not list any.
- apiGroups: [""]
  resources: [namespaces]
  verbs: {{ if .Values.watchNamespaces }}[get]{{ else }}[get, list, watch]{{ end }}
{{- end -}}

{{/* Where the helm test puts its ScheduledJob: the release's namespace if the operator watches it, or the first that it watches. */}}
{{- define "scheduledjob-operator.testNamespace" -}}
{{- if or (empty .Values.watchNamespaces) (has .Release.Namespace .Values.watchNamespaces) -}}
{{- .Release.Namespace -}}
{{- else -}}
{{- first .Values.watchNamespaces -}}
{{- end -}}
{{- end -}}

{{- define "scheduledjob-operator.testName" -}}
{{- printf "%s-test" (include "scheduledjob-operator.fullname" . | trunc 47 | trimSuffix "-") -}}
{{- end -}}

{{- define "scheduledjob-operator.testLabels" -}}
{{ include "scheduledjob-operator.labels" . }}
app.kubernetes.io/component: test
{{- end -}}

{{/* What the test pod needs comes before it; all of it goes when the test has passed, a failed pod stays for its logs. */}}
{{- define "scheduledjob-operator.testHook" -}}
helm.sh/hook: test
helm.sh/hook-weight: {{ . | quote }}
helm.sh/hook-delete-policy: before-hook-creation,hook-succeeded
{{- end -}}
