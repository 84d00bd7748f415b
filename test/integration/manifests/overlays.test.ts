/** What `kubectl apply -k` would send to a cluster, held against the code and against itself. */
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

import { describe, expect, it } from 'vitest';

import { CHECKS, EVENT_CHECKS } from '../../support/manifests/checks.ts';
import type { Check } from '../../support/manifests/checks.ts';
import { checkSchemas } from '../../support/manifests/kind-schemas.ts';
import { ROOT, readResources, render, renderWith, whyNoKustomize } from '../../support/manifests/render.ts';
import type { Resource } from '../../support/manifests/render.ts';
import { readConfigMap } from '../../support/manifests/workloads.ts';

const skipped = whyNoKustomize();
const VARIANTS: Readonly<Record<string, () => Resource[]>> = {
  'knative/overlays/homelab': () => render('knative/overlays/homelab'),
  'knative/overlays/company': () => render('knative/overlays/company'),
  'homelab with a GPU, reading one namespace': () =>
    renderWith('knative/overlays/homelab', [
      'knative/components/ollama-gpu',
      'knative/components/namespaced-context',
    ]),
  'homelab with a token for metrics, and traces': () =>
    renderWith('knative/overlays/homelab', ['knative/components/metrics-token', 'knative/components/traces']),
};
const EVENT_VARIANTS = ['eventing/base', 'eventing/overlays/kafka', 'eventing/overlays/oidc'];

describe.skipIf(skipped !== null)(`manifests${skipped === null ? '' : ` (skipped: ${skipped})`}`, () => {
  describe.each(Object.keys(VARIANTS))('%s', (name) => {
    const resources = skipped === null ? (VARIANTS[name]?.() ?? []) : [];

    it.each(Object.entries<Check>(CHECKS))('%s', (_promise, check) => {
      expect(check(resources)).toEqual([]);
    });

    it('names each resource once, in the namespace or for the whole cluster', () => {
      const names = resources.map(
        ({ apiVersion, kind, metadata }) =>
          `${apiVersion} ${kind} ${metadata.namespace ?? ''}/${metadata.name}`,
      );
      expect(new Set(names).size).toBe(names.length);
      for (const { metadata } of resources)
        expect(['alertgest', 'media', undefined]).toContain(metadata.namespace);
    });

    it('says of each resource what it belongs to', () => {
      for (const { metadata } of resources)
        expect(metadata.labels).toMatchObject({ 'app.kubernetes.io/part-of': 'alertgest' });
    });
  });

  describe.each(EVENT_VARIANTS)('%s', (folder) => {
    const resources = skipped === null ? render(folder) : [];

    it.each(Object.entries<Check>(EVENT_CHECKS))('%s', (_promise, check) => {
      expect(check(resources)).toEqual([]);
    });
  });

  it('a GPU takes one card, and a namespace takes the place of the cluster', () => {
    const resources = VARIANTS['homelab with a GPU, reading one namespace']?.() ?? [];
    const ollama = resources.find(
      ({ kind, metadata }) => kind === 'Deployment' && metadata.name === 'ollama',
    );

    expect(JSON.stringify(ollama)).toContain('"nvidia.com/gpu":"1"');
    expect(resources.filter(({ kind }) => kind.startsWith('ClusterRole'))).toEqual([]);
    expect(readConfigMap(resources, 'settings')).toMatchObject({ K8S_CONTEXT_NAMESPACES: 'media' });
  });

  it('a receive that starts from zero is one finding, and no other', () => {
    const resources = renderWith('knative/overlays/homelab', ['knative/components/receive-from-zero']);
    const found = Object.values<Check>(CHECKS).flatMap((check) => check(resources));

    expect(found).toEqual([
      'Service receive: may be scaled to zero, and alerts that begin and end meanwhile are lost',
    ]);
  });

  it('Argo CD brings stores before the migration, functions after it, and events last', () => {
    const waves = (VARIANTS['knative/overlays/homelab']?.() ?? []).map(({ apiVersion, kind, metadata }) => ({
      what: `${apiVersion.split('/')[0] ?? ''} ${kind}`,
      wave: Number(metadata.annotations['argocd.argoproj.io/sync-wave'] ?? 0),
    }));
    const waveOf = (what: string): number[] => [
      ...new Set(waves.filter((entry) => entry.what === what).map(({ wave }) => wave)),
    ];

    expect(waveOf('v1 Namespace')).toEqual([-3]);
    expect(waveOf('apps StatefulSet')).toEqual([-2]);
    expect(waveOf('batch Job')).toEqual([0]);
    expect(waveOf('serving.knative.dev Service')).toEqual([1]);
    for (const kind of ['Broker', 'Trigger']) expect(waveOf(`eventing.knative.dev ${kind}`)).toEqual([2]);
    for (const kind of ['PingSource', 'SinkBinding'])
      expect(waveOf(`sources.knative.dev ${kind}`)).toEqual([2]);
  });
});

describe('knative/argocd', () => {
  const files = readdirSync(join(ROOT, 'knative/argocd'));

  it.each(files)('%s has known fields and leads to a folder that is there', (file) => {
    const resources = readResources(`knative/argocd/${file}`);

    expect(checkSchemas(resources)).toEqual([]);
    for (const resource of resources) {
      const { source } = resource['spec'] as { source: { path: string } };
      expect(existsSync(join(ROOT, source.path, 'kustomization.yaml'))).toBe(true);
    }
  });
});

describe('knative/secrets.example.yaml', () => {
  it('holds names and no values', () => {
    expect(CHECKS['no secret is written out'](readResources('knative/secrets.example.yaml'))).toEqual([]);
  });
});
