/** Where a Destination of a manifest lives on this machine. */
import { ConfigError } from '../../shared/errors.ts';
import type { Destination } from './manifest-schemas.ts';

export interface AddressBook {
  /** Knative Service name → base URL. */
  readonly services: Readonly<Record<string, string>>;
  brokerUrl(namespace: string, name: string): string;
}

/** Resolves a destination; throws a ConfigError that says who points at a Service without an address. */
export function resolveDestination(
  { ref, uri }: Destination,
  namespace: string,
  book: AddressBook,
  who: string,
): URL {
  if (!ref) return new URL(uri ?? '');
  const base =
    ref.kind === 'Broker' ? book.brokerUrl(ref.namespace ?? namespace, ref.name) : book.services[ref.name];
  if (base === undefined) throw new ConfigError(`${who} points at Service ${ref.name}, which has no address`);
  return uri === undefined ? new URL(base) : new URL(uri, base);
}
