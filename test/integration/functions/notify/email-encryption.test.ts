/** Encrypted mail with a certificate that is made for the run, because a key in a repository is one that leaked. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import tls from 'node:tls';
import { afterEach, describe, expect, it } from 'vitest';

import { channelOf, failureOf, sendTo as send } from '../../../support/channels.ts';
import { startSmtpSink, type Certificate } from '../../../support/smtp-sink.ts';

const certificate = makeCertificate();
const authorities = tls.getCACertificates('default');

describe.skipIf(certificate === null).each(['starttls', 'tls'] as const)('email with %s', (security) => {
  afterEach(() => tls.setDefaultCACertificates(authorities));

  it('is sent encrypted to a server whose certificate somebody vouches for', async () => {
    const sink = await startSmtpSink(security, certificate);
    tls.setDefaultCACertificates([...authorities, certificate?.cert ?? '']);
    await send(channelOf(sink));
    expect(sink.mails.map(({ isEncrypted }) => isEncrypted)).toEqual([true]);
    await sink.close();
  });

  it('is not sent to one whose certificate nobody vouches for', async () => {
    const sink = await startSmtpSink(security, certificate);
    const error = await failureOf(send(channelOf(sink)));
    expect(error).toMatchObject({ reason: 'delivery-retryable', outcomeUnknown: false });
    expect(error.message).toMatch(/^email: no mail was handed over \(E[A-Z]+\)$/);
    expect(sink.mails).toEqual([]);
    await sink.close();
  });
});

/** By openssl; null, and said, where there is none. */
function makeCertificate(): Certificate | null {
  const folder = mkdtempSync(join(tmpdir(), 'alertgest-certificate-'));
  const [key, cert] = [join(folder, 'key.pem'), join(folder, 'cert.pem')];
  const words = `req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 1 -subj /CN=localhost`;
  const names = ['-addext', 'subjectAltName=DNS:localhost', '-keyout', key, '-out', cert];
  try {
    execFileSync('openssl', [...words.split(' '), ...names], { stdio: 'ignore' });
    return { key: readFileSync(key, 'utf8'), cert: readFileSync(cert, 'utf8') };
  } catch {
    process.stderr.write('encrypted mail: skipped, openssl makes no certificate here\n');
    return null;
  } finally {
    rmSync(folder, { recursive: true });
  }
}
