/** A file as it is known before a byte of it has come. */
export interface WantedFile {
  readonly url: string;
  readonly bytes: number;
  /** Hexadecimal. */
  readonly sha256: string;
  /** Where it belongs. */
  readonly path: string;
}
