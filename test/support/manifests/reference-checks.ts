/** Whether every name that manifests mention is the name of something. */
import * as z from 'zod';

import { readResources } from './render.ts';
import type { Resource } from './render.ts';
import { readWorkloads } from './workloads.ts';
import type { Workload } from './workloads.ts';

const secretSchema = z.object({
  metadata: z.object({ name: z.string() }),
  data: z.record(z.string(), z.string()),
});
const externalSecretSchema = z.object({
  spec: z.object({
    target: z.object({ name: z.string() }),
    data: z.array(z.object({ secretKey: z.string() })).optional(),
    dataFrom: z.array(z.unknown()).optional(),
  }),
});
const selectingSchema = z.object({ spec: z.object({ selector: z.record(z.string(), z.unknown()) }) });

interface SecretReference {
  readonly where: string;
  readonly secret: string;
  /** Undefined takes the whole Secret. */
  readonly key: string | undefined;
}

/** Secrets that pods name are in the example, key by key; where a store provides Secrets, it provides these. */
export function checkSecretNames(resources: readonly Resource[]): string[] {
  const example = new Map(
    readResources('knative/secrets.example.yaml')
      .map((resource) => secretSchema.parse(resource))
      .map(({ metadata, data }) => [metadata.name, Object.keys(data)]),
  );
  const external = new Map(
    resources
      .filter(({ kind }) => kind === 'ExternalSecret')
      .map((resource) => externalSecretSchema.parse(resource).spec)
      .map(({ target, data = [], dataFrom = [] }) => [
        target.name,
        dataFrom.length > 0 ? null : data.map(({ secretKey }) => secretKey),
      ]),
  );
  return readWorkloads(resources)
    .flatMap(secretsOf)
    .flatMap(({ where, secret, key }) => {
      const found: string[] = [];
      const what = `${where}: Secret ${secret}${key === undefined ? '' : ` key ${key}`}`;
      const known = example.get(secret);
      if (known === undefined || (key !== undefined && !known.includes(key)))
        found.push(`${what} is not in secrets.example.yaml`);
      if (external.size === 0) return found;
      const provided = external.get(secret);
      if (provided === undefined || (key !== undefined && provided !== null && !provided.includes(key)))
        found.push(`${what} is provided by no ExternalSecret`);
      return found;
    });
}

/** ConfigMaps, accounts, claims and priorities that pods name are there. */
export function checkNames(resources: readonly Resource[]): string[] {
  const named = (kind: string): Set<string> =>
    new Set(resources.filter((resource) => resource.kind === kind).map(({ metadata }) => metadata.name));
  const [maps, accounts, claims, priorities] = [
    named('ConfigMap'),
    named('ServiceAccount'),
    named('PersistentVolumeClaim'),
    named('PriorityClass'),
  ];
  return readWorkloads(resources).flatMap(({ where, pod, claims: ownClaims }) => [
    ...configMapsOf(pod)
      .filter((name) => !maps.has(name))
      .map((name) => `${where}: there is no ConfigMap ${name}`),
    ...[pod.serviceAccountName ?? 'default']
      .filter((name) => name !== 'default' && !accounts.has(name))
      .map((name) => `${where}: there is no ServiceAccount ${name}`),
    ...pod.volumes
      .flatMap(({ persistentVolumeClaim }) => persistentVolumeClaim?.claimName ?? [])
      .filter((name) => !claims.has(name))
      .map((name) => `${where}: there is no PersistentVolumeClaim ${name}`),
    ...[pod.priorityClassName]
      .filter((name) => name !== undefined && !priorities.has(name))
      .map((name) => `${where}: there is no PriorityClass ${name}`),
    ...pod.containers.flatMap(({ volumeMounts }) =>
      volumeMounts
        .filter(
          ({ name }) => !ownClaims.includes(name) && pod.volumes.every((volume) => volume.name !== name),
        )
        .map(({ name }) => `${where}: there is no volume ${name}`),
    ),
  ]);
}

/** A generated ConfigMap that a Service names carries its hash, so that a change makes a new revision. */
export function checkHashes(resources: readonly Resource[]): string[] {
  return readWorkloads(resources)
    .filter(({ isFunction }) => isFunction)
    .flatMap(({ where, pod }) =>
      configMapsOf(pod)
        .filter((name) => !/-[a-z0-9]{10}$/.test(name))
        .map((name) => `${where}: ConfigMap ${name} carries no hash`),
    );
}

/** Services, budgets and policies select pods that exist. */
export function checkSelectors(resources: readonly Resource[]): string[] {
  const labels = readWorkloads(resources).map((workload) => workload.labels);
  const matches = (wanted: Readonly<Record<string, string>>): boolean =>
    labels.some((have) => Object.entries(wanted).every(([key, value]) => have[key] === value));
  return resources.flatMap((resource) => {
    const result = selectingSchema.safeParse(resource);
    if (!result.success || resource.kind === 'PersistentVolumeClaim') return [];
    const { selector } = result.data.spec;
    const wanted = z
      .record(z.string(), z.string())
      .safeParse('matchLabels' in selector ? selector['matchLabels'] : selector);
    return wanted.success && matches(wanted.data)
      ? []
      : [`${resource.kind} ${resource.metadata.name}: selects no pod`];
  });
}

function configMapsOf(pod: Workload['pod']): string[] {
  return [
    ...pod.containers.flatMap(({ env, envFrom }) => [
      ...envFrom.flatMap(({ configMapRef }) => configMapRef?.name ?? []),
      ...env.flatMap(({ valueFrom }) => valueFrom?.configMapKeyRef?.name ?? []),
    ]),
    ...pod.volumes.flatMap(({ configMap }) => configMap?.name ?? []),
  ];
}

function secretsOf({ where, pod }: Workload): SecretReference[] {
  const items = (secret: string, keys: ReadonlyArray<{ key: string }> | undefined): SecretReference[] =>
    keys === undefined
      ? [{ where, secret, key: undefined }]
      : keys.map(({ key }) => ({ where, secret, key }));
  return [
    ...pod.containers.flatMap(({ env, envFrom }) => [
      ...envFrom.flatMap(({ secretRef }) =>
        secretRef === undefined ? [] : items(secretRef.name, undefined),
      ),
      ...env.flatMap(({ valueFrom }) =>
        valueFrom?.secretKeyRef === undefined
          ? []
          : items(valueFrom.secretKeyRef.name, [{ key: valueFrom.secretKeyRef.key }]),
      ),
    ]),
    ...pod.volumes.flatMap(({ secret, projected }) => [
      ...(secret === undefined ? [] : items(secret.secretName, secret.items)),
      ...(projected?.sources ?? []).flatMap((source) =>
        source.secret === undefined ? [] : items(source.secret.name, source.secret.items),
      ),
    ]),
  ];
}
