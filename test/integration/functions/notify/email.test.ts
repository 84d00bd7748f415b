/** The contract of channels for e-mail, against a real SMTP server that accepts, refuses, stalls and breaks. */
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';

import type { Channel } from '../../../../functions/notify/channels/index.ts';
import hostileTexts from '../../../fixtures/hostile-texts.json' with { type: 'json' };
import { channelOf, failureOf, sendTo as send } from '../../../support/channels.ts';
import { makeButton } from '../../../support/messages.ts';
import { SMTP_PASSWORD, startSmtpSink, type SmtpSink, type SmtpStep } from '../../../support/smtp-sink.ts';

const STEPS: readonly SmtpStep[] = ['login', 'sender', 'recipient', 'mail'];

describe('email', () => {
  let sink: SmtpSink;
  let channel: Channel;

  beforeAll(async () => {
    sink = await startSmtpSink();
    channel = channelOf(sink);
  });
  afterEach(() => sink.clear());
  afterAll(() => sink.close());

  it('delivers to every address, as text and as HTML, and returns the id of the mail', async () => {
    const { providerId } = await send(channel, { button: makeButton() });
    expect(providerId).toBe('<notice-1.email@example.org>');
    expect(sink.mails).toHaveLength(1);
    const [mail] = sink.mails;
    expect(mail).toMatchObject({ from: 'alerts@example.org', to: ['ops@example.org', 'oncall@example.org'] });
    expect(mail?.headers.get('message-id')).toBe(providerId);
    expect(mail?.headers.get('content-type')).toMatch(/^multipart\/alternative/);
    expect(mail?.headers.get('auto-submitted')).toBe('auto-generated');
    expect(mail?.raw.indexOf('text/plain')).toBeLessThan(mail?.raw.indexOf('text/html') ?? 0);
    expect(mail?.raw).toContain('/d/v1.');
  });

  it('keeps an incident in one thread and has one id for every attempt', async () => {
    const first = await send(channel);
    const again = await send(channel, { possiblyRepeated: true });
    expect(again.providerId).toBe(first.providerId);
    await send(
      channel,
      { kind: 'resolved', noticeKey: 'notice-2', endedAt: new Date() },
      undefined,
      first.providerId,
    );
    const headers = sink.mails.map((mail) => mail.headers);
    const incident = '<ag-0123456789abcdef@example.org>';
    expect(headers[0]?.get('in-reply-to')).toBe(incident);
    expect(headers[2]?.get('message-id')).toBe('<notice-2.email@example.org>');
    expect(headers[2]?.get('in-reply-to')).toBe(first.providerId);
    expect(headers[2]?.get('references')).toBe(`${incident} ${first.providerId}`);
    expect(headers[2]?.get('importance')).toBe('low');
  });

  it.each(hostileTexts)('delivers, with no header more, in spite of: $title', async ({ text }) => {
    await send(channel, { alertname: text, summary: text, description: text, identity: text });
    expect(sink.mails).toHaveLength(1);
    expect([...(sink.mails[0]?.headers.keys() ?? [])].toSorted()).toEqual([
      'auto-submitted',
      'content-type',
      'date',
      'from',
      'importance',
      'in-reply-to',
      'message-id',
      'mime-version',
      'references',
      'subject',
      'to',
    ]);
  });

  it.each(STEPS)('tries again after a 4yz at the %s', async (step) => {
    sink.script(step, 451);
    const error = await failureOf(sendToOne());
    expect(error).toMatchObject({ reason: 'delivery-retryable', outcomeUnknown: false });
    expect(error.message).toContain('451');
  });

  it.each(STEPS)('gives up after a 5yz at the %s', async (step) => {
    sink.script(step, step === 'login' ? 535 : 550);
    const error = await failureOf(sendToOne());
    expect(error).toMatchObject({ reason: 'delivery-permanent', outcomeUnknown: false });
    expect(sink.mails).toHaveLength(0);
  });

  it('tries again when the server turns connections away', async () => {
    sink.script('greeting', 421);
    expect(await failureOf(sendToOne())).toMatchObject({
      reason: 'delivery-retryable',
      outcomeUnknown: false,
    });
  });

  it('tells of one refused address of two, whose mail the other has', async () => {
    sink.script('recipient', 550, 'oncall@example.org');
    expect(await send(channel)).toEqual({
      providerId: '<notice-1.email@example.org>',
      note: '1 of 2 addresses were refused',
    });
    expect(sink.mails[0]?.to).toEqual(['ops@example.org']);
  });

  it.each(['hang', 'reset'] as const)('knows that after the mail a %s may have delivered', async (answer) => {
    sink.script('mail', answer);
    const error = await failureOf(send(channel, {}, AbortSignal.timeout(answer === 'hang' ? 500 : 5_000)));
    expect(error).toMatchObject({ reason: 'delivery-retryable', outcomeUnknown: true });
    expect(sink.mails).toHaveLength(1);
  });

  it.each(['hang', 'reset'] as const)('knows that before the mail a %s has not delivered', async (answer) => {
    for (const step of ['login', 'sender', 'recipient'] as const) {
      sink.script(step, answer);
      const started = performance.now();
      const error = await failureOf(send(channel, {}, AbortSignal.timeout(answer === 'hang' ? 500 : 5_000)));
      expect(performance.now() - started).toBeLessThan(2_000);
      expect(error).toMatchObject({ reason: 'delivery-retryable', outcomeUnknown: false });
    }
    expect(sink.mails).toHaveLength(0);
  });

  it('knows that an unreachable server has not delivered', async () => {
    const gone = await startSmtpSink();
    const unreachable = channelOf(gone);
    await gone.close();
    expect(await failureOf(send(unreachable))).toMatchObject({
      reason: 'delivery-retryable',
      outcomeUnknown: false,
    });
  });

  it('sends nothing in the clear unless told to', async () => {
    const careful = channelOf({ env: { ...sink.env, EMAIL_SECURITY: 'starttls' } });
    expect(await failureOf(send(careful))).toMatchObject({ outcomeUnknown: false });
    expect(sink.mails).toHaveLength(0);
  });

  it('keeps addresses, passwords and what the server said out of every error', async () => {
    const wrong = channelOf({ env: { ...sink.env, EMAIL_PASSWORD: `${SMTP_PASSWORD}!` } });
    const errors = [await failureOf(send(wrong))];
    for (const step of STEPS)
      for (const answer of [450, 550, 'reset'] as const) {
        sink.script(step, answer);
        if (step !== 'recipient' || answer === 'reset') errors.push(await failureOf(send(channel)));
      }
    for (const error of errors) {
      const shown = `${error.stack} ${JSON.stringify(error)} ${String(error.cause)}`;
      for (const secret of [SMTP_PASSWORD, 'ops@', 'oncall@', 'says the sink', '127.0.0.1'])
        expect(shown).not.toContain(secret);
    }
  });

  /** To one address, so that its refusal is the refusal of the mail. */
  function sendToOne(): ReturnType<Channel['send']> {
    return send(channelOf({ env: { ...sink.env, EMAIL_TO: 'ops@example.org' } }));
  }
});
