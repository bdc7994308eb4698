/** Identities that can't be derived from what is known: uids of objects that a client creates. */
export interface Ids {
  /** A version 4 UUID. */
  uid(): string;
  /** Random characters of Kubernetes' name alphabet, for generateName. */
  suffix(length: number): string;
}
