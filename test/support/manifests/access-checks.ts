/** Who may do what: rights over the Kubernetes API, over the node, over the network, and no secret in sight. */
import * as z from 'zod';

import { CLUSTER_CALLS } from '../../../shared/cluster.ts';
import { isFunction, nameOf } from './render.ts';
import type { Resource } from './render.ts';
import { readWorkloads } from './workloads.ts';
import type { Container, Workload } from './workloads.ts';

/** The functions that read the Kubernetes API. */
const READERS = ['build-digest', 'classify'];
/** Of what they read, what belongs to no namespace. */
const CLUSTER_WIDE = 'nodes';
/** Phones reach it. */
const PUBLIC = ['console'];
const SECRET_VARIABLE = /(TOKEN|PASSWORD|PASS|SECRET|KEYS?|CREDENTIALS|WEBHOOK_URL)$/;
const URL_WITH_PASSWORD = /:\/\/[^/\s:@]*:[^/\s@]+@/;

const rulesSchema = z.object({
  rules: z.array(
    z.object({ apiGroups: z.array(z.string()), resources: z.array(z.string()), verbs: z.array(z.string()) }),
  ),
});
const subjectsSchema = z.object({ subjects: z.array(z.object({ kind: z.string(), name: z.string() })) });
const dataSchema = z.object({ data: z.record(z.string(), z.string()).default({}) });
const policySchema = z.object({
  spec: z.object({
    podSelector: z.record(z.string(), z.unknown()),
    policyTypes: z.array(z.string()),
    ingress: z.array(z.unknown()).optional(),
    egress: z.array(z.unknown()).optional(),
  }),
});

/** Rights are exactly the calls the code makes, given to exactly the functions that make them. */
export function checkRights(resources: readonly Resource[]): string[] {
  const found: string[] = [];
  const roles = resources.filter(({ kind }) => kind === 'ClusterRole' || kind === 'Role');
  for (const role of roles) {
    const given = rulesSchema
      .parse(role)
      .rules.flatMap(({ apiGroups, resources: names, verbs }) =>
        apiGroups.flatMap((group) =>
          names.flatMap((name) => verbs.map((verb) => `${verb} ${group}/${name}`)),
        ),
      );
    const wanted = CLUSTER_CALLS.filter(
      ({ resource }) => role.kind === 'ClusterRole' || resource !== CLUSTER_WIDE,
    ).map(({ verb, apiGroup, resource }) => `${verb} ${apiGroup}/${resource}`);
    found.push(
      ...given
        .filter((right) => wanted.every((call) => call !== right))
        .map((right) => `${nameOf(role)}: nobody needs ${right}`),
      ...wanted.filter((right) => !given.includes(right)).map((right) => `${nameOf(role)}: lacks ${right}`),
    );
  }
  if (roles.length === 0) found.push('there is no role for what the functions read');
  for (const binding of resources.filter(
    ({ kind }) => kind.endsWith('RoleBinding') || kind === 'ClusterRoleBinding',
  )) {
    const names = subjectsSchema.parse(binding).subjects.map(({ name }) => name);
    if (names.sort().join() !== READERS.join()) found.push(`${nameOf(binding)}: is for ${names.join(', ')}`);
  }
  for (const { where, name, pod } of readWorkloads(resources)) {
    const hasToken = pod.automountServiceAccountToken !== false;
    if (hasToken && !READERS.includes(name)) found.push(`${where}: gets a token of the Kubernetes API`);
    if (hasToken && pod.serviceAccountName !== name) found.push(`${where}: does not run as itself`);
  }
  return found;
}

/** Every pod passes Pod Security Admission's level "restricted", and may not write where its image lies. */
export function checkPodSecurity(resources: readonly Resource[]): string[] {
  const namespace = resources.find(({ kind }) => kind === 'Namespace');
  const isEnforced = namespace?.metadata.labels['pod-security.kubernetes.io/enforce'] === 'restricted';
  return [
    ...(isEnforced ? [] : ['the namespace does not enforce the restricted level']),
    ...readWorkloads(resources).flatMap((workload) => [
      ...(workload.pod.hostNetwork || workload.pod.hostPID || workload.pod.hostIPC
        ? [`${workload.where}: shares a namespace of its node`]
        : []),
      ...workload.pod.volumes
        .filter(({ hostPath }) => hostPath !== undefined)
        .map(({ name }) => `${workload.where}: volume ${name} is a folder of the node`),
      ...workload.pod.containers.flatMap((container) =>
        problemsOf(workload.pod, container).map(
          (problem) => `${workload.where} container ${container.name}: ${problem}`,
        ),
      ),
    ]),
  ];
}

function problemsOf(pod: Workload['pod'], { securityContext: own, resources }: Container): string[] {
  const isNonRoot = own.runAsNonRoot ?? pod.securityContext.runAsNonRoot;
  const user = own.runAsUser ?? pod.securityContext.runAsUser;
  const seccomp = own.seccompProfile ?? pod.securityContext.seccompProfile;
  return [
    ...(isNonRoot === true && user !== 0 ? [] : ['may run as root']),
    ...(seccomp?.type === 'RuntimeDefault' ? [] : ['has no seccomp profile']),
    ...(own.allowPrivilegeEscalation === false ? [] : ['may gain privileges']),
    ...(own.privileged === true ? ['is privileged'] : []),
    ...(own.capabilities?.drop?.includes('ALL') === true && own.capabilities.add === undefined
      ? []
      : ['keeps capabilities']),
    ...(own.readOnlyRootFilesystem === true ? [] : ['may write to its root']),
    ...(resources.requests?.['memory'] !== undefined && resources.limits?.['memory'] !== undefined
      ? []
      : ['has no memory request and limit']),
  ];
}

/** Every image says which one it is. */
export function checkImages(resources: readonly Resource[]): string[] {
  return readWorkloads(resources).flatMap(({ where, pod }) =>
    pod.containers
      .filter(({ image }) => !/:[\w.-]+$|@sha256:[0-9a-f]{64}$/.test(image) || image.endsWith(':latest'))
      .map(({ image }) => `${where}: image ${image} is whatever the registry has that day`),
  );
}

/** No Secret with a value, no secret as a plain variable, no password in an address. */
export function checkLiterals(resources: readonly Resource[]): string[] {
  return [
    ...resources
      .filter(({ kind }) => kind === 'Secret')
      .filter(
        (secret) =>
          'stringData' in secret ||
          Object.values(dataSchema.parse(secret).data).some((value) => value !== ''),
      )
      .map((secret) => `${nameOf(secret)}: holds a value`),
    ...resources
      .filter(({ kind }) => kind === 'ConfigMap')
      .flatMap((map) =>
        Object.entries(dataSchema.parse(map).data)
          .filter(([name, value]) => SECRET_VARIABLE.test(name) || URL_WITH_PASSWORD.test(value))
          .map(([name]) => `${nameOf(map)}: ${name} belongs into a Secret`),
      ),
    ...readWorkloads(resources).flatMap(({ where, pod }) =>
      pod.containers.flatMap(({ env }) =>
        env
          .filter(
            ({ name, value }) =>
              value !== undefined && (SECRET_VARIABLE.test(name) || URL_WITH_PASSWORD.test(value)),
          )
          .map(({ name }) => `${where}: ${name} is written out`),
      ),
    ),
  ];
}

/** Only the console has an address outside, nothing opens a port of the nodes, and the model is reached by nobody else. */
export function checkExposure(resources: readonly Resource[]): string[] {
  return resources.flatMap((resource) => {
    const { kind, metadata } = resource;
    const spec = (resource['spec'] ?? {}) as { type?: string };
    if (isFunction(resource)) {
      const isLocal = metadata.labels['networking.knative.dev/visibility'] === 'cluster-local';
      if (isLocal === PUBLIC.includes(metadata.name))
        return [
          `${nameOf(resource)}: ${isLocal ? 'is not reached by phones' : 'has an address outside the cluster'}`,
        ];
    }
    if (kind === 'Service' && spec.type !== undefined && spec.type !== 'ClusterIP')
      return [`${nameOf(resource)}: is a ${spec.type}`];
    if (kind === 'Ingress' && JSON.stringify(spec).includes('"ollama"'))
      return [`${nameOf(resource)}: leads to the model`];
    return [];
  });
}

/** Everything is closed, and what is open is open by name. */
export function checkNetwork(resources: readonly Resource[]): string[] {
  const policies = resources
    .filter(({ kind }) => kind === 'NetworkPolicy')
    .map((resource) => ({ name: resource.metadata.name, ...policySchema.parse(resource).spec }));
  const deny = policies.find(
    ({ podSelector, ingress, egress }) =>
      Object.keys(podSelector).length === 0 && ingress === undefined && egress === undefined,
  );
  return [
    ...(deny?.policyTypes.toSorted().join() === 'Egress,Ingress' ? [] : ['nothing is denied by default']),
    ...policies
      .filter(({ podSelector, ingress }) => Object.keys(podSelector).length === 0 && ingress !== undefined)
      .map(({ name }) => `NetworkPolicy ${name}: opens every pod`),
    ...policies
      .filter(
        (policy) =>
          JSON.stringify(policy).includes('"0.0.0.0/0"') &&
          !JSON.stringify(policy).includes('"169.254.0.0/16"'),
      )
      .map(({ name }) => `NetworkPolicy ${name}: reaches the metadata service of the machine`),
  ];
}
