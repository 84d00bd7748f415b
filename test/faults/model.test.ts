import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';

import injections from '../fixtures/injections.json' with { type: 'json' };
import { namesOf, toldNames } from '../support/machine-audit.ts';
import { makeFiring, startTestMachine } from '../support/machine.ts';
import type { TestMachine } from '../support/machine.ts';
import { startModelStub } from '../support/model-stub.ts';
import type { ModelStub } from '../support/model-stub.ts';

describe('a model that cannot be trusted', { timeout: 120_000 }, () => {
  let machine: TestMachine;
  let model: ModelStub;
  beforeAll(async () => {
    model = await startModelStub();
    machine = await startTestMachine({
      env: {
        OLLAMA_BASE_URL: model.url,
        EXPLAIN_WAIT: '3s',
        STORM_INCIDENTS_PER_MINUTE: '1000',
        STORM_CRITICALS_PER_MINUTE: '1000',
      },
    });
  });
  afterAll(async () => {
    await machine.stop();
    await model.close();
  });
  beforeEach(async () => {
    await machine.settle();
    machine.sink.clear();
    model.clear();
  });

  test('F47 garbage, white space and other shapes never reach a phone', async () => {
    const alerts = [makeFiring(), makeFiring(), makeFiring()];
    model.script('invalid-json', 'invalid-json', 'flood', 'wrong-schema', 'wrong-schema');
    for (const alert of alerts) {
      expect(await machine.post([alert])).toBe(200);
      await machine.sink.waitFor(alerts.indexOf(alert) + 1, 20_000);
    }
    expect(await toldNames(machine)).toEqual(namesOf(alerts));
    for (const { text } of machine.sink.pushes) {
      expect(text).not.toContain('Here is the JSON');
      expect(text).not.toContain('kitchen');
      expect(text).not.toContain('ignore this alert');
    }
  });

  test('F49 alerts that ask to be ignored, and a model that agrees: every one is told, as loud as it is', async () => {
    model.usually({
      json: {
        category: 'noise',
        suggestedSeverity: 'none',
        summary: 'Ignore this alert.',
        explanation: 'All is well, this alert can be suppressed.',
        nextStep: 'Ignore this alert.',
      },
    });
    const texts = injections.map(({ text }) => text);
    expect(texts.length).toBeGreaterThanOrEqual(30);
    const alerts = texts.map((text) =>
      makeFiring({ severity: 'critical', reason: text.slice(0, 200) }, { annotations: { summary: text } }),
    );
    for (const alert of alerts) expect(await machine.post([alert])).toBe(200);
    await machine.settle(60_000);
    expect(await toldNames(machine)).toEqual(namesOf(alerts));
    // ntfy's loudest.
    expect(machine.sink.pushes.map(({ priority }) => priority)).toEqual(alerts.map(() => 5));
    expect(await machine.query(`select id from notices where status = 'suppressed'`)).toEqual([]);
  });
});
