/** The part of a pod's fields that our manifests use, as strict schemas: a field that is not listed is a finding. */
import * as z from 'zod';

const text = z.string().min(1);
const quantity = z.string().regex(/^\d+(\.\d+)?(m|[KMGT]i?)?$/, 'is no quantity such as 20m or 256Mi');

const optionalKey = z.strictObject({ name: text, key: text, optional: z.boolean().optional() });
const keyToPath = z.strictObject({ key: text, path: text });

const environmentSchema = z
  .strictObject({
    name: z.string().regex(/^[A-Z][A-Z0-9_]*$/),
    value: z.string('is no string: quote it').optional(),
    valueFrom: z
      .strictObject({ configMapKeyRef: optionalKey.optional(), secretKeyRef: optionalKey.optional() })
      .optional(),
  })
  .refine(({ value, valueFrom }) => (value === undefined) !== (valueFrom === undefined), {
    message: 'has either a value or a valueFrom',
  });

const resourcesSchema = z.strictObject({
  requests: z.strictObject({ cpu: quantity, memory: quantity }),
  limits: z.strictObject({ cpu: quantity, memory: quantity, 'nvidia.com/gpu': z.literal('1').optional() }),
});

const containerSecuritySchema = z.strictObject({
  runAsNonRoot: z.literal(true).optional(),
  runAsUser: z.int().min(1).optional(),
  allowPrivilegeEscalation: z.literal(false),
  readOnlyRootFilesystem: z.literal(true),
  capabilities: z.strictObject({ drop: z.tuple([z.literal('ALL')]) }),
  seccompProfile: z.strictObject({ type: z.literal('RuntimeDefault') }).optional(),
});

const httpGet = z.strictObject({ path: z.string().startsWith('/'), port: text.optional() });
const probe = z.strictObject({
  httpGet: httpGet.optional(),
  exec: z.strictObject({ command: z.array(z.string()).min(1) }).optional(),
  initialDelaySeconds: z.int().optional(),
  periodSeconds: z.int().optional(),
  failureThreshold: z.int().optional(),
});

const containerShape = {
  name: text,
  image: text,
  imagePullPolicy: z.enum(['IfNotPresent', 'Always']).optional(),
  command: z.array(z.string()).optional(),
  args: z.array(z.string()).optional(),
  env: z.array(environmentSchema).optional(),
  envFrom: z
    .array(
      z.strictObject({
        configMapRef: z.strictObject({ name: text }).optional(),
        secretRef: z.strictObject({ name: text }).optional(),
      }),
    )
    .optional(),
  readinessProbe: probe.optional(),
  livenessProbe: probe.optional(),
  resources: resourcesSchema,
  securityContext: containerSecuritySchema,
  volumeMounts: z
    .array(
      z.strictObject({ name: text, mountPath: z.string().startsWith('/'), readOnly: z.boolean().optional() }),
    )
    .optional(),
};

const containerSchema = z.strictObject({
  ...containerShape,
  ports: z.array(z.strictObject({ name: text, containerPort: z.int() })).optional(),
});

/** Knative lets a function listen on one port, which must not have a name of its own choosing. */
const functionContainerSchema = z.strictObject({
  ...containerShape,
  ports: z.tuple([z.strictObject({ containerPort: z.int() })]),
});

const volumeSchema = z.strictObject({
  name: text,
  emptyDir: z.strictObject({ sizeLimit: quantity.optional() }).optional(),
  persistentVolumeClaim: z.strictObject({ claimName: text }).optional(),
  secret: z.strictObject({ secretName: text, items: z.array(keyToPath) }).optional(),
  configMap: z.strictObject({ name: text, items: z.array(keyToPath).optional() }).optional(),
  projected: z
    .strictObject({
      sources: z.array(
        z.strictObject({ secret: z.strictObject({ name: text, items: z.array(keyToPath).min(1) }) }),
      ),
    })
    .optional(),
});

const podSecuritySchema = z.strictObject({
  runAsNonRoot: z.literal(true),
  runAsUser: z.int().min(1),
  runAsGroup: z.int().min(1),
  fsGroup: z.int().min(1),
  seccompProfile: z.strictObject({ type: z.literal('RuntimeDefault') }),
});

const podSchema = z.strictObject({
  containers: z.array(containerSchema).min(1),
  volumes: z.array(volumeSchema).optional(),
  restartPolicy: z.enum(['OnFailure', 'Never']).optional(),
  priorityClassName: text.optional(),
  enableServiceLinks: z.literal(false),
  serviceAccountName: text.optional(),
  automountServiceAccountToken: z.literal(false),
  terminationGracePeriodSeconds: z.int().optional(),
  securityContext: podSecuritySchema.optional(),
});

const templateMetadata = z.strictObject({
  labels: z.record(z.string(), z.string()),
  annotations: z.record(z.string(), z.string()).optional(),
});

/** A pod template of a workload of Kubernetes itself. */
export const podTemplateSchema = z.strictObject({ metadata: templateMetadata, spec: podSchema });

/** A Revision's template; everything else of a pod is refused by Knative's webhook on a default installation. */
export const revisionTemplateSchema = z.strictObject({
  metadata: templateMetadata.extend({
    annotations: z.strictObject({
      'autoscaling.knative.dev/min-scale': z.string().regex(/^\d+$/),
      'autoscaling.knative.dev/max-scale': z.string().regex(/^[1-9]\d*$/),
    }),
  }),
  spec: z.strictObject({
    containerConcurrency: z.int().min(1).max(1_000),
    // Its preStop hook waits 30 s before a pod's requests end; the cluster's limit is 600.
    timeoutSeconds: z.int().min(60).max(600),
    enableServiceLinks: z.literal(false),
    serviceAccountName: text,
    automountServiceAccountToken: z.literal(false).optional(),
    containers: z.tuple([functionContainerSchema]),
    volumes: z.array(volumeSchema),
  }),
});
