/** Canaries in everything that goes in; none of them comes out in a log line, an answer or a stored dead letter's issue. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { HttpFailure } from '../../shared/http.ts';
import { describeError, stackOf } from '../../shared/log.ts';
import { startReceiver } from '../support/receiver.ts';
import type { Receiver } from '../support/receiver.ts';

const CANARY = 'canary7c1e';

describe('the log of receive', () => {
  let receiver: Receiver;
  beforeAll(async () => {
    receiver = await startReceiver({
      RECEIVE_TOKEN: `token-of-the-tests,${CANARY}-second-token`,
      APP_LOG_LEVEL: 'debug',
    });
  });
  afterAll(() => receiver.stop());

  it(
    'holds nothing of headers, labels, annotations and addresses, taken or refused',
    { timeout: 60_000 },
    async () => {
      const alert = {
        status: 'firing',
        labels: { alertname: 'Leaky', severity: 'warning', password: CANARY },
        annotations: { summary: `password=${CANARY}`, description: `postgres://ann:${CANARY}@db/` },
        generatorURL: `http://prometheus/?token=${CANARY}`,
      };
      const answers = [
        await receiver.post({ status: 'firing', alerts: [alert] }),
        await receiver.post(
          { status: 'firing', alerts: [alert] },
          { authorization: `Bearer ${CANARY}-second-token` },
        ),
        await receiver.post({ status: 'firing', alerts: [alert] }, { authorization: `Bearer ${CANARY}` }),
        await receiver.post(
          { status: 'firing', alerts: [alert] },
          { authorization: `Basic ${btoa(`ann:${CANARY}`)}` },
        ),
        await receiver.post({ alerts: [alert, { labels: CANARY }, CANARY] }),
        await receiver.post({ alerts: [CANARY] }),
        await receiver.post({ [CANARY]: CANARY }),
        await receiver.post({ alerts: [] }, { query: `?token=${CANARY}` }),
        await receiver.post({ alerts: [alert] }, { headers: { 'content-encoding': 'gzip', cookie: CANARY } }),
      ];
      expect(answers.map(({ status }) => status)).toEqual([200, 200, 401, 401, 200, 400, 400, 200, 415]);
      expect(receiver.lines.length).toBeGreaterThan(8);
      expect(receiver.lines.filter((line) => line.includes(CANARY))).toEqual([]);
      expect(answers.filter(({ body }) => JSON.stringify(body).includes(CANARY))).toEqual([]);
      expect(receiver.crashes).toEqual([]);
    },
  );

  it('keeps each line one line of JSON, whatever an alert says', async () => {
    const forged = 'x"}\n{"level":"error","message":"forged"}\r\n\u2028';
    await receiver.post({ alerts: [{ labels: { alertname: forged }, annotations: {} }], groupKey: forged });
    await receiver.post({ alerts: [{ labels: forged }], groupKey: forged });
    for (const line of receiver.lines) expect(JSON.parse(line)).not.toMatchObject({ message: 'forged' });
  });
});

describe('what is said of an error', () => {
  it('has no credentials of an address: text, cause and stack', () => {
    const cause = new Error(`connect postgres://ann:${CANARY}@db:5432/alertgest refused`);
    const error = new Error(`https://bot:${CANARY}@chat.example/hook failed`, { cause });
    expect(`${JSON.stringify(describeError(error))} ${stackOf(error)} ${stackOf(cause)}`).not.toContain(
      CANARY,
    );
    expect(describeError(`redis://:${CANARY}@redis/`).error).not.toContain(CANARY);
  });

  it('of a provider names its host alone', () => {
    const failure = new HttpFailure('connect', 'https://hooks.example: no connection (ECONNREFUSED)', false);
    expect(describeError(failure).error).toBe(
      'HttpFailure: https://hooks.example: no connection (ECONNREFUSED)',
    );
  });
});
