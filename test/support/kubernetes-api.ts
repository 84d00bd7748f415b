/** A Kubernetes API server for tests: answers recorded objects, refuses and hangs as told, and remembers what was asked. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A namespace's objects by the last part of their path (`pods`, `deployments` …); `metrics/pods` for the metrics API. */
export type Objects = Readonly<Record<string, ReadonlyArray<Readonly<Record<string, unknown>>>>>;

export interface KubernetesApi {
  /** A kubeconfig that leads here. */
  readonly kubeconfig: string;
  /** What was asked, as RBAC would write it. */
  readonly asked: ReadonlyArray<{
    apiGroup: string;
    resource: string;
    verb: string;
    namespace: string | null;
  }>;
  /** Answers this status, or nothing at all, for a resource (`pods`, `metrics/nodes` …). */
  refuse(resource: string, how: number | 'hang'): void;
  clear(): void;
  close(): Promise<void>;
}

const METRICS = 'metrics.k8s.io';

/** Starts the server; objects carry their namespace in `metadata.namespace`. */
export async function startKubernetesApi(objects: Objects): Promise<KubernetesApi> {
  let asked: Array<KubernetesApi['asked'][number]> = [];
  const refusals = new Map<string, number | 'hang'>();
  const server = http.createServer((incoming, outgoing) => {
    const { pathname, searchParams } = new URL(incoming.url ?? '/', 'http://x');
    const parts = pathname.split('/').slice(1);
    const apiGroup = parts[0] === 'apis' ? (parts[1] ?? '') : '';
    const rest = parts.slice(parts[0] === 'apis' ? 3 : 2);
    const namespace = rest[0] === 'namespaces' ? (rest[1] ?? null) : null;
    const resource = rest.at(-1) ?? '';
    const key = apiGroup === METRICS ? `metrics/${resource}` : resource;
    asked.push({ apiGroup, resource, verb: incoming.method === 'GET' ? 'list' : 'other', namespace });
    const refusal = refusals.get(key);
    if (refusal === 'hang') return;
    if (refusal !== undefined)
      return reply(outgoing, refusal, { kind: 'Status', code: refusal, reason: 'Refused' });
    const items = (objects[key] ?? []).filter(
      (object) =>
        (namespace === null || read(object, 'metadata.namespace') === namespace) &&
        fits(object, searchParams.get('fieldSelector')),
    );
    return reply(outgoing, 200, { kind: 'List', apiVersion: 'v1', metadata: {}, items });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const folder = mkdtempSync(join(tmpdir(), 'alertgest-kube-'));
  const kubeconfig = join(folder, 'config');
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  writeFileSync(kubeconfig, toKubeconfig(url));
  return {
    kubeconfig,
    get asked() {
      return asked;
    },
    refuse: (resource, how) => void refusals.set(resource, how),
    clear() {
      asked = [];
      refusals.clear();
    },
    close: () =>
      new Promise((resolve) => {
        rmSync(folder, { recursive: true, force: true });
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function toKubeconfig(server: string): string {
  return JSON.stringify({
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': 'test',
    contexts: [{ name: 'test', context: { cluster: 'test', user: 'test' } }],
    // The client speaks plain http only when told not to verify.
    clusters: [{ name: 'test', cluster: { server, 'insecure-skip-tls-verify': true } }],
    users: [{ name: 'test', user: { token: 'test' } }],
  });
}

/** `type=Warning` and its like. */
function fits(object: Readonly<Record<string, unknown>>, selector: string | null): boolean {
  return (selector ?? '')
    .split(',')
    .filter((term) => term !== '')
    .every((term) => {
      const [path = '', value] = term.split('=');
      return read(object, path) === value;
    });
}

function read(object: unknown, path: string): unknown {
  return path
    .split('.')
    .reduce<unknown>(
      (value, name) =>
        typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[name] : undefined,
      object,
    );
}

function reply(outgoing: http.ServerResponse, status: number, body: object): void {
  outgoing.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}
