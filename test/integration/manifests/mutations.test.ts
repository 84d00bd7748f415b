/** Every check can fail: each row breaks one thing that was right and names the finding. */
import { describe, expect, it } from 'vitest';

import { CHECKS } from '../../support/manifests/checks.ts';
import { MUTATIONS } from '../../support/manifests/mutation-rows.ts';
import { remove } from '../../support/manifests/mutate.ts';
import { render, renderWith, whyNoKustomize } from '../../support/manifests/render.ts';
import type { Resource } from '../../support/manifests/render.ts';

const skipped = whyNoKustomize();

describe.skipIf(skipped !== null)(`checks notice${skipped === null ? '' : ` (skipped: ${skipped})`}`, () => {
  const resources =
    skipped === null ? renderWith('knative/overlays/homelab', ['knative/components/routes']) : [];

  it.each(MUTATIONS)('that %s: %s', (name, _what, mutation, finding) => {
    const broken = structuredClone<Resource[]>(resources);
    const before = CHECKS[name](broken);
    mutation(broken);
    const found = CHECKS[name](broken).filter((line) => !before.includes(line));

    expect(found.join('\n')).toMatch(finding);
  });

  it('in each check at least once', () => {
    expect([...new Set(MUTATIONS.map(([name]) => name))].sort()).toEqual(Object.keys(CHECKS).sort());
  });

  it('what a Secret store does not provide', () => {
    const company = render('knative/overlays/company');
    remove('ExternalSecret decision-keys')(company);

    expect(CHECKS['secrets are named in the example'](company)).toContain(
      'Service notify: Secret decision-keys key DECISION_KEYS is provided by no ExternalSecret',
    );
  });
});
