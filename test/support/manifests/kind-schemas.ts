/** Strict schemas of every kind in our manifests; a kind or a field that is not here is a finding, not a surprise. */
import * as z from 'zod';

import { manifestSchema } from '../../../eventing/local/manifest-schemas.ts';
import { podTemplateSchema, revisionTemplateSchema } from './pod-schemas.ts';
import { nameOf } from './render.ts';
import type { Resource } from './render.ts';

const text = z.string().min(1);
const words = z.record(z.string(), z.string());
const selector = z.strictObject({ matchLabels: words });
const claim = z.strictObject({
  accessModes: z.tuple([z.literal('ReadWriteOnce')]),
  resources: z.strictObject({ requests: z.strictObject({ storage: z.string().regex(/^\d+Gi$/) }) }),
});

const metadata = z.strictObject({
  name: text,
  namespace: text.optional(),
  labels: words.optional(),
  annotations: words.optional(),
});

const labelSelector = z.strictObject({
  matchLabels: words.optional(),
  matchExpressions: z
    .array(
      z.strictObject({
        key: text,
        operator: z.enum(['In', 'NotIn', 'Exists']),
        values: z.array(text).optional(),
      }),
    )
    .optional(),
});
const peers = z
  .array(
    z.strictObject({
      podSelector: labelSelector.optional(),
      namespaceSelector: labelSelector.optional(),
      ipBlock: z.strictObject({ cidr: text, except: z.array(text).optional() }).optional(),
    }),
  )
  .min(1);
const policyPorts = z.array(
  z.strictObject({ protocol: z.enum(['TCP', 'UDP']), port: z.int().min(1).max(65_535) }),
);
const subjects = z.array(
  z.strictObject({ kind: z.literal('ServiceAccount'), name: text, namespace: z.literal('alertgest') }),
);
const rules = z.array(
  z.strictObject({ apiGroups: z.array(z.string()), resources: z.array(text), verbs: z.array(text) }),
);
const roleRef = (kind: string) =>
  z.strictObject({ apiGroup: z.literal('rbac.authorization.k8s.io'), kind: z.literal(kind), name: text });

/** Kind → the fields beside apiVersion, kind and metadata; the key holds the version that our YAML is written for. */
const KINDS: Readonly<Record<string, z.ZodRawShape>> = {
  'v1 Namespace': {},
  'v1 ConfigMap': { data: words },
  'v1 ServiceAccount': { automountServiceAccountToken: z.literal(false).optional() },
  'v1 PersistentVolumeClaim': { spec: claim },
  'v1 Service': {
    spec: z.strictObject({
      clusterIP: z.literal('None').optional(),
      // A type would open a door to the outside.
      selector: words,
      ports: z.array(z.strictObject({ name: text, port: z.int(), targetPort: text })),
    }),
  },
  'apps/v1 Deployment': {
    spec: z.strictObject({
      replicas: z.literal(1),
      strategy: z.strictObject({ type: z.literal('Recreate') }).optional(),
      selector,
      template: podTemplateSchema,
    }),
  },
  'apps/v1 StatefulSet': {
    spec: z.strictObject({
      serviceName: text,
      replicas: z.literal(1),
      selector,
      template: podTemplateSchema,
      volumeClaimTemplates: z.array(
        z.strictObject({ metadata: z.strictObject({ name: text }), spec: claim }),
      ),
    }),
  },
  'batch/v1 Job': { spec: z.strictObject({ backoffLimit: z.int(), template: podTemplateSchema }) },
  'scheduling.k8s.io/v1 PriorityClass': {
    value: z.int().max(-1),
    preemptionPolicy: z.literal('Never'),
    globalDefault: z.literal(false),
    description: text,
  },
  'policy/v1 PodDisruptionBudget': { spec: z.strictObject({ minAvailable: z.int(), selector }) },
  'networking.k8s.io/v1 NetworkPolicy': {
    spec: z.strictObject({
      podSelector: labelSelector,
      policyTypes: z.array(z.enum(['Ingress', 'Egress'])).min(1),
      ingress: z.array(z.strictObject({ from: peers, ports: policyPorts })).optional(),
      egress: z.array(z.strictObject({ to: peers, ports: policyPorts.optional() })).optional(),
    }),
  },
  'networking.k8s.io/v1 Ingress': {
    spec: z.strictObject({
      rules: z.array(
        z.strictObject({
          host: text,
          http: z.strictObject({
            paths: z.array(
              z.strictObject({
                path: text,
                pathType: z.literal('Prefix'),
                backend: z.strictObject({
                  service: z.strictObject({ name: text, port: z.strictObject({ name: text }) }),
                }),
              }),
            ),
          }),
        }),
      ),
    }),
  },
  'rbac.authorization.k8s.io/v1 ClusterRole': { rules },
  'rbac.authorization.k8s.io/v1 Role': { rules },
  'rbac.authorization.k8s.io/v1 ClusterRoleBinding': { roleRef: roleRef('ClusterRole'), subjects },
  'rbac.authorization.k8s.io/v1 RoleBinding': { roleRef: roleRef('Role'), subjects },
  'serving.knative.dev/v1 Service': { spec: z.strictObject({ template: revisionTemplateSchema }) },
  'serving.knative.dev/v1beta1 DomainMapping': {
    spec: z.strictObject({ ref: z.strictObject({ apiVersion: text, kind: text, name: text }) }),
  },
  'eventing.knative.dev/v1alpha1 EventPolicy': {
    spec: z.strictObject({
      to: z.array(z.strictObject({ ref: z.strictObject({ apiVersion: text, kind: text, name: text }) })),
      from: z.array(z.strictObject({ sub: z.string().startsWith('system:serviceaccount:') })),
      filters: z.array(
        z.strictObject({
          any: z.array(z.strictObject({ prefix: words.optional(), exact: words.optional() })),
        }),
      ),
    }),
  },
  'external-secrets.io/v1 ExternalSecret': {
    spec: z.strictObject({
      refreshInterval: text,
      secretStoreRef: z.strictObject({ kind: z.literal('ClusterSecretStore'), name: text }),
      target: z.strictObject({ name: text, creationPolicy: z.literal('Owner') }),
      data: z
        .array(z.strictObject({ secretKey: text, remoteRef: z.strictObject({ key: text, property: text }) }))
        .optional(),
      dataFrom: z.array(z.strictObject({ extract: z.strictObject({ key: text }) })).optional(),
    }),
  },
  'argoproj.io/v1alpha1 Application': {
    spec: z.strictObject({
      project: text,
      source: z.strictObject({ repoURL: z.url(), targetRevision: text, path: text }),
      destination: z.strictObject({ server: z.url(), namespace: text }),
      syncPolicy: z.strictObject({
        automated: z.strictObject({ prune: z.boolean(), selfHeal: z.boolean() }),
        syncOptions: z.array(z.string().regex(/^\w+=(true|false)$/)),
        retry: z.strictObject({
          limit: z.int(),
          backoff: z.strictObject({ duration: text, factor: z.int(), maxDuration: text }),
        }),
      }),
      ignoreDifferences: z.array(
        z.strictObject({ group: text, kind: text, jqPathExpressions: z.array(text) }),
      ),
    }),
  },
};

/** The kinds whose schemas the one-machine broker has: what it would not play, no cluster gets. */
const EVENTING = /^(Broker|Trigger|PingSource|SinkBinding)$/;

/** Fields that no schema knows, values that none allows, kinds that we have no schema for. */
export function checkSchemas(resources: readonly Resource[]): string[] {
  return resources.flatMap((resource) => {
    const { apiVersion, kind } = resource;
    const shape = KINDS[`${apiVersion} ${kind}`];
    if (shape === undefined && !EVENTING.test(kind))
      return [`${nameOf(resource)}: there is no schema for ${apiVersion} ${kind}`];
    const schema =
      shape === undefined
        ? manifestSchema
        : z.strictObject({
            apiVersion: z.literal(apiVersion),
            kind: z.literal(kind),
            metadata,
            ...shape,
          });
    const result = schema.safeParse(resource);
    return result.success
      ? []
      : result.error.issues.map(({ path, message }) => `${nameOf(resource)}: ${path.join('.')}: ${message}`);
  });
}
