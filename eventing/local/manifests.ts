/** Reads a folder of eventing manifests: the same YAML that a cluster gets, refused where this engine would not obey it. */
import { readFileSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';

import { parseAllDocuments } from 'yaml';
import * as z from 'zod';

import { ConfigError } from '../../shared/errors.ts';
import {
  manifestSchema,
  type Broker,
  type PingSource,
  type SinkBinding,
  type Trigger,
} from './manifest-schemas.ts';

/** Everything a folder of eventing manifests says. */
export interface Manifests {
  readonly brokers: readonly Broker[];
  readonly triggers: readonly Trigger[];
  readonly pingSources: readonly PingSource[];
  readonly sinkBindings: readonly SinkBinding[];
}

/** Only what changes nothing about the resources; patches and generators need `kubectl kustomize` first. */
const kustomizationSchema = z.strictObject({
  apiVersion: z.string(),
  kind: z.literal('Kustomization'),
  resources: z.array(z.string()),
});

/**
 * Reads the manifests of a folder: what its kustomization lists, or every `.yaml` file when it has none.
 * Throws a ConfigError that names file, resource and path of everything that is wrong.
 */
export function loadManifests(folder: string): Manifests {
  const documents = listFiles(folder).flatMap(readDocuments);
  const problems: string[] = [];
  const parsed = documents.flatMap(({ where, value }) => {
    const result = manifestSchema.safeParse(value);
    if (result.success) return [{ where, manifest: result.data }];
    problems.push(...describe(result.error).map((text) => `${where}: ${text}`));
    return [];
  });
  problems.push(...crossCheck(parsed));
  if (problems.length > 0) throw new ConfigError(`the eventing manifests are wrong:\n${problems.join('\n')}`);

  const manifests = parsed.map(({ manifest }) => manifest);
  return {
    brokers: manifests.filter((manifest) => manifest.kind === 'Broker'),
    triggers: manifests.filter((manifest) => manifest.kind === 'Trigger'),
    pingSources: manifests.filter((manifest) => manifest.kind === 'PingSource'),
    sinkBindings: manifests.filter((manifest) => manifest.kind === 'SinkBinding'),
  };
}

function listFiles(folder: string): string[] {
  const names = readdirSync(folder).sort();
  if (!names.includes('kustomization.yaml')) {
    return names.filter((name) => name.endsWith('.yaml')).map((name) => join(folder, name));
  }
  const file = join(folder, 'kustomization.yaml');
  const [document] = readDocuments(file);
  const result = kustomizationSchema.safeParse(document?.value);
  if (!result.success) {
    throw new ConfigError(
      `${file} does more than list resources (${describe(result.error).join('; ')}): render it with "kubectl kustomize" into a folder of its own`,
    );
  }
  return result.data.resources.flatMap((resource) => {
    const path = join(folder, resource);
    return statSync(path).isDirectory() ? listFiles(path) : [path];
  });
}

function readDocuments(file: string): Array<{ where: string; value: unknown }> {
  return parseAllDocuments(readFileSync(file, 'utf8')).flatMap((document, index) => {
    if ('errors' in document && document.errors.length > 0) {
      throw new ConfigError(`${file}: ${document.errors.map((error) => error.message).join('; ')}`);
    }
    const value: unknown = document.toJS();
    return value === null ? [] : [{ where: `${file} document ${index + 1}${nameOf(value)}`, value }];
  });
}

function nameOf(value: unknown): string {
  const shape = z.object({ kind: z.string(), metadata: z.object({ name: z.string() }) }).safeParse(value);
  return shape.success ? ` (${shape.data.kind} ${shape.data.metadata.name})` : '';
}

function describe(error: z.ZodError): string[] {
  return error.issues.map((issue) => {
    const why = issue.code === 'invalid_key' ? issue.issues.map(({ message }) => message).join(', ') : '';
    return `${issue.path.join('.') || 'the document'}: ${issue.message}${why && ` (${why})`}`;
  });
}

function crossCheck(
  parsed: ReadonlyArray<{ where: string; manifest: Broker | Trigger | PingSource | SinkBinding }>,
): string[] {
  const keys = parsed.map(({ manifest }) => key(manifest.kind, manifest.metadata));
  return parsed.flatMap(({ where, manifest }, index) => {
    const { kind, metadata } = manifest;
    const problems: string[] = [];
    if (keys.indexOf(key(kind, metadata)) < index) problems.push(`${where}: there are two of this name`);
    if (kind === 'Trigger') {
      const broker = { name: manifest.spec.broker, namespace: metadata.namespace };
      if (!keys.includes(key('Broker', broker)))
        problems.push(`${where}: spec.broker: there is no Broker ${broker.name} in ${broker.namespace}`);
    }
    return problems;
  });
}

function key(kind: string, { namespace, name }: { namespace: string; name: string }): string {
  return `${kind} ${namespace}/${name}`;
}
