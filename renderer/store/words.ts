/** Numbers in the words that people use for them. */

/** "about 3 min", "about 1 h 20 min", "under a minute". */
export function durationText(seconds: number): string {
  if (seconds < 60) return seconds < 10 ? 'a few seconds' : 'under a minute';
  const minutes = Math.round(seconds / 60);
  if (minutes < 60) return `about ${minutes} min`;
  const hours = Math.floor(minutes / 60);
  const rest = minutes % 60;
  if (hours >= 48) return `about ${Math.round(hours / 24)} days`;
  return rest === 0 ? `about ${hours} h` : `about ${hours} h ${rest} min`;
}

/** "12.4", "0.83", "1,240": three digits. */
export function rateText(value: number): string {
  if (value >= 100) return Math.round(value).toLocaleString('en-US');
  return value >= 10 ? value.toFixed(1) : value.toFixed(2);
}

export function countWords(count: number, singular: string, plural = `${singular}s`): string {
  return `${count.toLocaleString('en-US')} ${count === 1 ? singular : plural}`;
}

/** AP as the field writes it: 0.412 as "41.2". */
export function apText(value: number | null): string {
  return value === null || value < 0 ? '–' : (value * 100).toFixed(1);
}

/** "18.2 M", "451 K". */
export function parametersText(count: number): string {
  if (count >= 1e6) return `${(count / 1e6).toFixed(1)} M`;
  return count >= 1e3 ? `${Math.round(count / 1e3)} K` : String(count);
}

/** Bytes as file managers and providers count them, in powers of ten: "137 MB", "4.2 MB", "812 KB". */
export function bytesText(bytes: number): string {
  const [unit, size] = bytes >= 1e9 ? ['GB', 1e9] : bytes >= 1e6 ? ['MB', 1e6] : ['KB', 1e3];
  const value = bytes / (size as number);
  return `${value >= 10 || value === 0 ? Math.round(value) : value.toFixed(1)} ${unit}`;
}
