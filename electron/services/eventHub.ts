/** What the host tells its screens. Images that change in quick succession, as in an import, travel together. */
import type { HostEvent } from '../../shared/contract/events.ts';
import type { ImageRecord } from '../../shared/domain/image.ts';
import type { ProjectSummary } from '../../shared/domain/project.ts';

const batchMs = 30;
const summaryMs = 200;
const maxImagesPerEvent = 2000;

export class EventHub {
  readonly #listeners = new Set<(event: HostEvent) => void>();
  readonly #summary: () => ProjectSummary | null;
  #images = new Map<string, ImageRecord>();
  #imagesTimer: NodeJS.Timeout | null = null;
  #summaryTimer: NodeJS.Timeout | null = null;

  constructor(summary: () => ProjectSummary | null) {
    this.#summary = summary;
  }

  subscribe(listener: (event: HostEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  emit(event: HostEvent): void {
    for (const listener of this.#listeners) {
      try {
        listener(event);
      } catch (error) {
        // One screen's trouble is not the others', nor the request's that caused the event.
        console.error('A listener of host events failed:', error);
      }
    }
  }

  imagesChanged(images: readonly ImageRecord[]): void {
    if (images.length === 0) return;
    for (const image of images) this.#images.set(image.id, image);
    this.#imagesTimer ??= setTimeout(() => this.#sendImages(), batchMs);
    this.summaryChanged();
  }

  summaryChanged(): void {
    this.#summaryTimer ??= setTimeout(() => this.#sendSummary(), summaryMs);
  }

  /** Sends what is waiting, so that an event sent next comes after it. */
  flush(): void {
    if (this.#imagesTimer) clearTimeout(this.#imagesTimer);
    if (this.#summaryTimer) clearTimeout(this.#summaryTimer);
    if (this.#images.size > 0) this.#sendImages();
    if (this.#summaryTimer) this.#sendSummary();
  }

  /** Another project, or none: what was waiting belongs to the old one. */
  projectChanged(): void {
    this.#forget();
    this.emit({ type: 'project', project: this.#summary() });
  }

  close(): void {
    this.#forget();
    this.#listeners.clear();
  }

  #sendImages(): void {
    const images = [...this.#images.values()];
    this.#images = new Map();
    this.#imagesTimer = null;
    for (let start = 0; start < images.length; start += maxImagesPerEvent) {
      this.emit({ type: 'images', images: images.slice(start, start + maxImagesPerEvent) });
    }
  }

  #sendSummary(): void {
    this.#summaryTimer = null;
    this.emit({ type: 'project', project: this.#summary() });
  }

  #forget(): void {
    if (this.#imagesTimer) clearTimeout(this.#imagesTimer);
    if (this.#summaryTimer) clearTimeout(this.#summaryTimer);
    this.#imagesTimer = null;
    this.#summaryTimer = null;
    this.#images = new Map();
  }
}
