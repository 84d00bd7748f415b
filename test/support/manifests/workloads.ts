/** Every pod that manifests make, whatever makes it, in one shape that the checks read. */
import * as z from 'zod';

import { isFunction, nameOf } from './render.ts';
import type { Resource } from './render.ts';

const keys = z.array(z.object({ key: z.string() })).optional();
const variableSchema = z.object({
  name: z.string(),
  value: z.string().optional(),
  valueFrom: z
    .object({
      configMapKeyRef: z.object({ name: z.string(), key: z.string() }).optional(),
      secretKeyRef: z.object({ name: z.string(), key: z.string() }).optional(),
    })
    .optional(),
});

const securitySchema = z
  .object({
    runAsNonRoot: z.boolean().optional(),
    runAsUser: z.number().optional(),
    allowPrivilegeEscalation: z.boolean().optional(),
    readOnlyRootFilesystem: z.boolean().optional(),
    privileged: z.boolean().optional(),
    capabilities: z
      .object({ add: z.array(z.string()).optional(), drop: z.array(z.string()).optional() })
      .optional(),
    seccompProfile: z.object({ type: z.string() }).optional(),
  })
  .default({});

const containerSchema = z.object({
  name: z.string(),
  image: z.string(),
  args: z.array(z.string()).default([]),
  env: z.array(variableSchema).default([]),
  envFrom: z
    .array(
      z.object({
        configMapRef: z.object({ name: z.string() }).optional(),
        secretRef: z.object({ name: z.string() }).optional(),
      }),
    )
    .default([]),
  resources: z
    .object({
      requests: z.record(z.string(), z.string()).optional(),
      limits: z.record(z.string(), z.string()).optional(),
    })
    .default({}),
  securityContext: securitySchema,
  volumeMounts: z.array(z.object({ name: z.string(), mountPath: z.string() })).default([]),
});

const volumeSchema = z.object({
  name: z.string(),
  persistentVolumeClaim: z.object({ claimName: z.string() }).optional(),
  configMap: z.object({ name: z.string() }).optional(),
  secret: z.object({ secretName: z.string(), items: keys }).optional(),
  projected: z
    .object({
      sources: z.array(z.object({ secret: z.object({ name: z.string(), items: keys }).optional() })),
    })
    .optional(),
  hostPath: z.unknown().optional(),
});

const podSchema = z.object({
  serviceAccountName: z.string().optional(),
  automountServiceAccountToken: z.boolean().optional(),
  priorityClassName: z.string().optional(),
  hostNetwork: z.boolean().optional(),
  hostPID: z.boolean().optional(),
  hostIPC: z.boolean().optional(),
  securityContext: securitySchema,
  containers: z.array(containerSchema),
  volumes: z.array(volumeSchema).default([]),
});

const templateSchema = z.object({
  metadata: z
    .object({
      labels: z.record(z.string(), z.string()).default({}),
      annotations: z.record(z.string(), z.string()).default({}),
    })
    .default({ labels: {}, annotations: {} }),
  spec: podSchema,
});

const workloadSchema = z.object({
  spec: z.object({
    template: templateSchema,
    volumeClaimTemplates: z.array(z.object({ metadata: z.object({ name: z.string() }) })).default([]),
  }),
});

/** A pod template, and what makes pods of it. */
export interface Workload {
  /** As findings name it. */
  readonly where: string;
  readonly name: string;
  readonly isFunction: boolean;
  readonly labels: Readonly<Record<string, string>>;
  /** Of the template: Knative's scale. */
  readonly annotations: Readonly<Record<string, string>>;
  readonly pod: z.infer<typeof podSchema>;
  readonly claims: readonly string[];
}

export type Container = z.infer<typeof containerSchema>;

/** Everything that makes pods. */
export function readWorkloads(resources: readonly Resource[]): Workload[] {
  return resources.flatMap((resource) => {
    const result = workloadSchema.safeParse(resource);
    if (!result.success) return [];
    const { template, volumeClaimTemplates } = result.data.spec;
    return [
      {
        where: nameOf(resource),
        name: resource.metadata.name,
        isFunction: isFunction(resource),
        labels: template.metadata.labels,
        annotations: template.metadata.annotations,
        pod: template.spec,
        claims: volumeClaimTemplates.map(({ metadata }) => metadata.name),
      },
    ];
  });
}

/** The variables of a generated ConfigMap by the name it was generated with; empty when there is none. */
export function readConfigMap(
  resources: readonly Resource[],
  name: string,
): Readonly<Record<string, string>> {
  const found = resources.find(
    ({ kind, metadata }) => kind === 'ConfigMap' && metadata.name.replace(/-[a-z0-9]{10}$/, '') === name,
  );
  return z.object({ data: z.record(z.string(), z.string()).default({}) }).parse(found ?? {}).data;
}
