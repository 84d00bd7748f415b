/** The installation pages name files that are there, and numbers that the manifests have. */
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

import { describe, expect, it } from 'vitest';

import { checkConnections, sumConnections } from '../support/manifests/service-checks.ts';
import { readResources } from '../support/manifests/render.ts';

const ROOT = join(import.meta.dirname, '../..');
const PAGES = ['docs/install-homelab.md', 'docs/install-company.md'];
/** Where a path on these pages may begin. */
const FOLDERS = ['', 'knative', 'knative/overlays/company', 'knative/overlays/homelab'];

describe.each(PAGES)('%s', (page) => {
  const text = readFileSync(join(ROOT, page), 'utf8');

  it('names paths that are there', () => {
    const own = Array.from(
      text.matchAll(/\b((?:knative|eventing|components)\/(?!releases)[\w./-]*[\w-])|`([\w-]+\.yaml)`/g),
      ([, path, file]) => path ?? file ?? '',
    );

    expect(own.length).toBeGreaterThan(3);
    for (const path of own)
      expect(
        FOLDERS.some((folder) => existsSync(join(ROOT, folder, path))),
        path,
      ).toBe(true);
  });

  it('links to pages that are there', () => {
    for (const [, target = ''] of text.matchAll(/\]\((?!http)([^)#]+)(?:#[^)]*)?\)/g))
      expect(existsSync(join(ROOT, dirname(page), target)), target).toBe(true);
  });
});

it('docs/install-company.md asks for as many connections as the functions can need', () => {
  const services = ['receive', 'classify', 'suppress-check', 'notify', 'build-digest', 'console'].flatMap(
    (name) => readResources(`knative/base/services/${name}.yaml`),
  );
  const page = readFileSync(join(ROOT, 'docs/install-company.md'), 'utf8');

  expect(checkConnections(services)).toEqual([]);
  expect(page).toContain(`${sumConnections(services)} at the largest scale`);
});
