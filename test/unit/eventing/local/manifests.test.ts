import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { stringify } from 'yaml';

import { loadManifests } from '../../../../eventing/local/manifests.ts';
import { ConfigError } from '../../../../shared/errors.ts';

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'manifests-'));
});

afterEach(() => {
  rmSync(folder, { recursive: true });
});

const metadata = { name: 'default', namespace: 'alertgest' };
const broker = { apiVersion: 'eventing.knative.dev/v1', kind: 'Broker', metadata };
const service = { ref: { apiVersion: 'serving.knative.dev/v1', kind: 'Service', name: 'classify' } };

function makeTrigger(spec: object, name = 'one'): object {
  return {
    apiVersion: 'eventing.knative.dev/v1',
    kind: 'Trigger',
    metadata: { ...metadata, name },
    spec: { broker: 'default', subscriber: service, ...spec },
  };
}

function makePingSource(spec: object): object {
  return {
    apiVersion: 'sources.knative.dev/v1',
    kind: 'PingSource',
    metadata,
    spec: { sink: service, ...spec },
  };
}

function load(...documents: object[]) {
  writeFileSync(join(folder, 'all.yaml'), documents.map((document) => stringify(document)).join('---\n'));
  return loadManifests(folder);
}

describe('loadManifests', () => {
  it('reads durations as milliseconds and fills in what the API server would', () => {
    const { triggers, pingSources } = load(
      broker,
      makeTrigger({
        delivery: { retry: 3, backoffPolicy: 'exponential', backoffDelay: 'PT0.2S', timeout: 'PT2M30S' },
      }),
      makePingSource({}),
    );

    expect(triggers[0]?.spec.delivery).toEqual({
      retry: 3,
      backoffPolicy: 'exponential',
      backoffDelayMs: 200,
      timeoutMs: 150_000,
    });
    expect(pingSources[0]?.spec).toMatchObject({ schedule: '* * * * *', timezone: 'UTC' });
  });

  it.each([
    ['an unknown field', makeTrigger({ delivery: { retrys: 3 } }), /spec\.delivery: .*retrys/],
    [
      'a delivery field that is off by default',
      makeTrigger({ delivery: { retryAfterMax: 'PT1S' } }),
      /retryAfterMax/,
    ],
    [
      'a wrong policy',
      makeTrigger({ delivery: { backoffPolicy: 'quadratic' } }),
      /spec\.delivery\.backoffPolicy/,
    ],
    ['a wrong duration', makeTrigger({ delivery: { backoffDelay: '1s' } }), /not an ISO 8601 duration/],
    ['a timeout of nothing', makeTrigger({ delivery: { timeout: 'PT0S' } }), /longer than nothing/],
    [
      'two dialects in one entry',
      makeTrigger({ filters: [{ exact: { type: 'a' }, prefix: { type: 'a' } }] }),
      /dialect/,
    ],
    ['CESQL', makeTrigger({ filters: [{ cesql: 'EXISTS tick' }] }), /spec\.filters\.0\.cesql: .*CESQL/],
    [
      'an attribute name in capitals',
      makeTrigger({ filter: { attributes: { Type: 'a' } } }),
      /attribute names match/,
    ],
    [
      'an empty value in a dialect',
      makeTrigger({ filters: [{ exact: { type: '' } }] }),
      /spec\.filters\.0\.exact/,
    ],
    ['a Broker that does not exist', makeTrigger({ broker: 'other' }), /there is no Broker other/],
    ['a subscriber without an address', makeTrigger({ subscriber: { uri: '/path' } }), /absolute uri/],
    ['a wrong schedule', makePingSource({ schedule: '@every 5m' }), /spec\.schedule: not a cron/],
    ['a wrong time zone', makePingSource({ timezone: 'Europe/Nowhere' }), /spec\.timezone/],
    [
      'data that is no JSON object',
      makePingSource({ contentType: 'application/json', data: '[]' }),
      /spec\.data/,
    ],
    ['a kind it does not play', { ...broker, kind: 'Channel' }, /kind: /],
  ])('refuses %s, naming file, resource and path', (_, document, message) => {
    expect(() => load(broker, document)).toThrow(ConfigError);
    expect(() => load(broker, document)).toThrow(message);
    expect(() => load(broker, document)).toThrow(
      /all\.yaml document 2 \((Trigger one|PingSource default|Channel default)\)/,
    );
  });

  it('names every fault at once', () => {
    const load2 = () =>
      load(broker, makeTrigger({ broker: 'other' }), makeTrigger({ delivery: { retry: -1 } }, 'two'));

    expect(load2).toThrow(/no Broker other/);
    expect(load2).toThrow(/spec\.delivery\.retry/);
  });

  it('refuses two resources of one name and a key that stands twice', () => {
    expect(() => load(broker, broker)).toThrow(/two of this name/);

    writeFileSync(join(folder, 'all.yaml'), 'kind: Broker\nkind: Broker\n');
    expect(() => loadManifests(folder)).toThrow(/all\.yaml: .*unique/);
  });

  it('reads what a kustomization lists, folders included, and refuses one that patches', () => {
    mkdirSync(join(folder, 'base'));
    writeFileSync(join(folder, 'base', 'broker.yaml'), stringify(broker));
    writeFileSync(join(folder, 'unlisted.yaml'), 'kind: Nonsense\n');
    const kustomization = {
      apiVersion: 'kustomize.config.k8s.io/v1beta1',
      kind: 'Kustomization',
      resources: ['base'],
    };
    const write = (content: object) => writeFileSync(join(folder, 'kustomization.yaml'), stringify(content));

    write(kustomization);
    expect(loadManifests(folder).brokers).toHaveLength(1);

    write({ ...kustomization, patches: [] });
    expect(() => loadManifests(folder)).toThrow(/kubectl kustomize/);
  });
});
