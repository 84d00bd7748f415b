/** The image is what the documentation says: pinned, without root, with its bill of materials. */
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

import { describe, expect, it } from 'vitest';
import { NODE_OPTIONS } from '../../../eventing/local/functions.ts';

const ROOT = join(import.meta.dirname, '../../..');
const lines = readFileSync(join(ROOT, 'Dockerfile'), 'utf8').replaceAll('\\\n', ' ').split('\n');
const valuesOf = (instruction: string): string[] =>
  lines
    .filter((line) => line.startsWith(`${instruction} `))
    .map((line) => line.slice(instruction.length + 1));

describe('Dockerfile', () => {
  it('names each base by its digest', () => {
    const stages = valuesOf('FROM').map((value) => value.split(' as ')[0]?.split(' AS ') ?? []);
    const own = stages.map(([, name]) => name);
    const outside = stages.map(([image = '']) => image).filter((image) => !own.includes(image));

    expect(outside).toHaveLength(2);
    for (const image of outside) expect(image).toMatch(/:[\w.-]+@sha256:[0-9a-f]{64}$/);
  });

  it('ends as a user without rights, in a runtime without a shell', () => {
    expect(valuesOf('USER').at(-1)).toBe('65532:65532');
    expect(valuesOf('FROM')[0]).toMatch(/^gcr\.io\/distroless\/nodejs24-/);
    expect(valuesOf('FROM').at(-1)).toBe('runtime');
  });

  it('runs no script of a package and takes nothing but what the lock file names', () => {
    const installs = valuesOf('RUN').filter((command) => /\bnpm (ci|install|i)\b/.test(command));

    expect(installs).toHaveLength(1);
    expect(installs[0]).toMatch(/^npm ci --ignore-scripts /);
  });

  it('runs Node with the options that were measured', () => {
    expect(valuesOf('ENV').join(' ')).toContain(`NODE_OPTIONS=${NODE_OPTIONS} `);
  });

  it('carries its bill of materials and its licence', () => {
    expect(valuesOf('COPY').at(-1)).toMatch(/sbom\.cdx\.json LICENSE \.\/$/);
  });

  it('is built from a list of folders, not from everything but a list', () => {
    const [first, ...rest] = readFileSync(join(ROOT, '.dockerignore'), 'utf8').trim().split('\n');
    const there = new Set(readdirSync(ROOT));

    expect(first).toBe('*');
    for (const entry of rest) expect(there).toContain(entry.replace(/^!/, '').split('/')[0]);
  });
});
