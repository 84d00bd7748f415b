/** Reads manifests as a cluster would get them: rendered by kubectl's kustomize, or as they lie in a file. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';

import { parseAllDocuments } from 'yaml';
import * as z from 'zod';

export const ROOT = realpathSync(join(import.meta.dirname, '../../..'));

/** What every resource has; the rest is for each check to read. */
const resourceSchema = z.looseObject({
  apiVersion: z.string(),
  kind: z.string(),
  metadata: z.looseObject({
    name: z.string(),
    namespace: z.string().optional(),
    labels: z.record(z.string(), z.string()).default({}),
    annotations: z.record(z.string(), z.string()).default({}),
  }),
});
export type Resource = z.infer<typeof resourceSchema>;

/** The first release of kubectl whose kustomize knows replacements that find generated ConfigMaps. */
const OLDEST_KUSTOMIZE = [4, 5, 4] as const;

/** Why nothing can be rendered here, or null when it can. */
export function whyNoKustomize(): string | null {
  try {
    const text = execFileSync('kubectl', ['version', '--client', '-o', 'json'], {
      encoding: 'utf8',
      stdio: 'pipe',
    });
    const { kustomizeVersion = 'v2.0.3' } = z
      .object({ kustomizeVersion: z.string().optional() })
      .parse(JSON.parse(text));
    const [major = 0, minor = 0, patch = 0] = kustomizeVersion.replace(/^v/, '').split('.').map(Number);
    const [oldMajor, oldMinor, oldPatch] = OLDEST_KUSTOMIZE;
    const isOld =
      major !== oldMajor ? major < oldMajor : minor !== oldMinor ? minor < oldMinor : patch < oldPatch;
    return isOld
      ? `kubectl's kustomize is ${kustomizeVersion}, older than v${OLDEST_KUSTOMIZE.join('.')}`
      : null;
  } catch {
    return 'there is no kubectl; install kubectl 1.26 or later';
  }
}

/** The resources of a kustomization, by its path from the project's root. */
export function render(folder: string): Resource[] {
  const text = execFileSync('kubectl', ['kustomize', join(ROOT, folder)], { encoding: 'utf8' });
  return parseResources(text);
}

/** An overlay with components on top, as somebody would combine them in a repository of their own. */
export function renderWith(overlay: string, components: readonly string[]): Resource[] {
  const folder = mkdtempSync(join(realpathSync(tmpdir()), 'alertgest-kustomize-'));
  try {
    const own = join(folder, 'own');
    mkdirSync(own);
    const kustomization = {
      apiVersion: 'kustomize.config.k8s.io/v1beta1',
      kind: 'Kustomization',
      resources: [relative(own, join(ROOT, overlay))],
      components: components.map((component) => relative(own, join(ROOT, component))),
    };
    writeFileSync(join(own, 'kustomization.yaml'), JSON.stringify(kustomization));
    return parseResources(execFileSync('kubectl', ['kustomize', own], { encoding: 'utf8' }));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** The resources of one file. */
export function readResources(file: string): Resource[] {
  return parseResources(readFileSync(join(ROOT, file), 'utf8'));
}

/** How findings name a resource. */
export function nameOf({ kind, metadata }: Resource): string {
  return `${kind} ${metadata.name}`;
}

/** Whether a resource is a Knative Service, and not one of Kubernetes itself. */
export function isFunction({ apiVersion, kind }: Resource): boolean {
  return kind === 'Service' && apiVersion === 'serving.knative.dev/v1';
}

function parseResources(text: string): Resource[] {
  return parseAllDocuments(text).flatMap((document) => {
    const value: unknown = document.toJS();
    return value === null ? [] : [resourceSchema.parse(value)];
  });
}
