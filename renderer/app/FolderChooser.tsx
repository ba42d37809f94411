/**
 * Chooses a folder on this machine, or a file in one, the same way in the desktop's window and in a browser. The path can also be
 * typed or pasted.
 */
import { ActionIcon, Badge, Loader, TextInput, UnstyledButton } from '@mantine/core';
import { IconArrowUp, IconFileDigit, IconFolder, IconHome } from '@tabler/icons-react';
import { useEffect, useRef, useState } from 'react';
import type { RequestResult } from '../../shared/contract/requests.ts';
import { type ProblemData, toProblemData } from '../../shared/domain/problem.ts';
import { client } from '../bridge/client.ts';
import { bytesText, countWords } from '../store/words.ts';
import classes from './FolderChooser.module.css';

export type Listing = RequestResult<'folders.list'>;

export interface FolderChoice {
  readonly path: string;
  /** Null where the path was typed and is not a folder, or has not been read yet. */
  readonly listing: Listing | null;
}

interface FolderChooserProps {
  readonly label: string;
  readonly description?: string;
  /** Where to begin; the person's home where left out. */
  readonly start?: string | null;
  /** Which files to list beside the folders: a choice is then one of them. */
  readonly files?: 'weights';
  /** For a dialog with much else in it: a short list where the window is low. */
  readonly short?: boolean;
  onChange(choice: FolderChoice): void;
  /** A double click or Enter on a project, where projects are being looked for. */
  onProject?(path: string): void;
  /** A double click on a file, or Enter on its path. */
  onFile?(path: string): void;
}

export function FolderChooser(props: FolderChooserProps) {
  const { label, description, start = null, files, short, onChange, onProject, onFile } = props;
  const [listing, setListing] = useState<Listing | null>(null);
  const [typed, setTyped] = useState(start ?? '');
  const [problem, setProblem] = useState<ProblemData | null>(null);
  const [isReading, setIsReading] = useState(true);

  /** Counts what the person types: an answer that comes after it must not take it away. */
  const edits = useRef(0);
  /** Only the newest request is answered. */
  const reads = useRef(0);

  function type(path: string) {
    edits.current++;
    setTyped(path);
    onChange({ path, listing: null });
  }

  async function read(path: string | null, isTyped = false) {
    const before = edits.current;
    const mine = ++reads.current;
    setIsReading(true);
    try {
      const next = await client.request('folders.list', { path, files });
      if (mine !== reads.current) return;
      setListing(next);
      setProblem(null);
      if (edits.current !== before) return;
      setTyped(next.path);
      onChange({ path: next.path, listing: next });
    } catch (error) {
      if (mine !== reads.current) return;
      // A typed path may name a file; only the one who uses it can say whether that is wrong.
      if (isTyped && path !== null) onChange({ path, listing: null });
      setProblem(toProblemData(error));
    } finally {
      setIsReading(false);
    }
  }

  // biome-ignore lint/correctness/useExhaustiveDependencies: reads once, where the chooser begins
  useEffect(() => void read(start), []);

  return (
    <div className={classes.chooser} data-testid="folder-chooser">
      <TextInput
        label={label}
        description={description}
        value={typed}
        spellCheck={false}
        data-testid="folder-path"
        onChange={(event) => type(event.currentTarget.value)}
        onKeyDown={(event) => {
          if (event.key !== 'Enter') return;
          event.preventDefault();
          if (onFile && isFileName(typed)) onFile(typed);
          else void read(typed, true);
        }}
        rightSection={isReading ? <Loader size={14} /> : null}
      />
      <div className={classes.bar}>
        <ActionIcon
          variant="default"
          size="sm"
          aria-label="The folder above"
          disabled={!listing?.parent}
          onClick={() => listing?.parent && void read(listing.parent)}
        >
          <IconArrowUp size={14} />
        </ActionIcon>
        <ActionIcon variant="default" size="sm" aria-label="Home folder" onClick={() => void read(null)}>
          <IconHome size={14} />
        </ActionIcon>
        <span className={classes.summary}>
          {problem ? problem.message : listing ? summary(listing, files) : ''}
        </span>
      </div>
      <ul className={classes.list} data-short={short} aria-label="Folders">
        {listing?.folders.map(({ name, path, isProject }) => (
          <li key={path}>
            <UnstyledButton
              className={classes.folder}
              onClick={() => (isProject && onProject ? onProject(path) : void read(path))}
            >
              <IconFolder size={16} className={classes.icon} />
              <span className={classes.name}>{name}</span>
              {isProject && (
                <Badge size="xs" variant="light">
                  project
                </Badge>
              )}
            </UnstyledButton>
          </li>
        ))}
        {listing?.files.map(({ name, path, bytes }) => (
          <li key={path}>
            <UnstyledButton
              className={classes.folder}
              data-chosen={path === typed || undefined}
              aria-pressed={path === typed}
              data-testid={`file-${name}`}
              onClick={() => type(path)}
              onDoubleClick={() => onFile?.(path)}
            >
              <IconFileDigit size={16} className={classes.icon} />
              <span className={classes.name}>{name}</span>
              <span className={classes.size}>{bytesText(bytes)}</span>
            </UnstyledButton>
          </li>
        ))}
        {!problem && listing?.folders.length === 0 && listing.files.length === 0 && (
          <li className={classes.none}>{files ? 'Nothing to choose in here.' : 'No folders in here.'}</li>
        )}
      </ul>
    </div>
  );
}

function summary({ imageCount, isProject, files }: Listing, wanted: 'weights' | undefined): string {
  if (wanted)
    return files.length === 0
      ? 'No weights directly in this folder.'
      : `${countWords(files.length, 'file')} of weights in this folder.`;
  if (isProject) return 'This folder is a project.';
  if (imageCount === 0) return 'No images directly in this folder.';
  return `${countWords(imageCount, 'image')} in this folder.`;
}

/** A folder's name may look like a file's too: then a click still opens it. */
function isFileName(path: string): boolean {
  return /\.(pth|pt|safetensors)$/i.test(path.trim());
}
