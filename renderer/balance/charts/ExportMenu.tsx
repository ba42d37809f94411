/** "Export": what is drawn here, as a file. */
import { Button, Menu } from '@mantine/core';
import { IconDownload } from '@tabler/icons-react';
import { useState } from 'react';
import { Problem } from '../../../shared/domain/problem.ts';
import classes from './ChartFrame.module.css';
import type { ExportFormat } from './save.ts';

const formatWords: Record<ExportFormat, string> = {
  svg: 'SVG, for figures and print',
  png: 'PNG, for slides',
  csv: 'CSV, the numbers',
};

interface ExportMenuProps {
  readonly name: string;
  readonly formats: readonly ExportFormat[];
  readonly save: (format: ExportFormat) => Promise<void>;
}

export function ExportMenu({ name, formats, save }: ExportMenuProps) {
  const [failure, setFailure] = useState('');
  const tried = async (format: ExportFormat) => {
    setFailure('');
    try {
      await save(format);
    } catch (error) {
      setFailure(error instanceof Problem ? `${error.message} ${error.remedy}` : String(error));
    }
  };
  return (
    <>
      {failure && (
        <span role="alert" className={classes.failure}>
          {failure}
        </span>
      )}
      <Menu position="bottom-end" shadow="md">
        <Menu.Target>
          <Button
            variant="default"
            size="compact-sm"
            leftSection={<IconDownload size={14} />}
            data-testid={`chart-menu-${name}`}
          >
            Export
          </Button>
        </Menu.Target>
        <Menu.Dropdown>
          {formats.map((format) => (
            <Menu.Item
              key={format}
              data-testid={`chart-menu-${name}-${format}`}
              onClick={() => void tried(format)}
            >
              {formatWords[format]}
            </Menu.Item>
          ))}
        </Menu.Dropdown>
      </Menu>
    </>
  );
}
