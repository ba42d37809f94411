/** The project's name and everything that can be done with a project. */
import { Button, Menu } from '@mantine/core';
import {
  IconChevronDown,
  IconDownload,
  IconFileSearch,
  IconFolderOpen,
  IconFolderPlus,
  IconMicroscope,
  IconPhotoPlus,
  IconUpload,
  IconX,
} from '@tabler/icons-react';
import { useDialogs } from '../store/dialogs.ts';
import { useProject } from '../store/project.ts';
import { beforeLeaving } from './leaveStore.ts';
import classes from './ProjectMenu.module.css';

export function ProjectMenu() {
  const { project, recent, openProject, openSample, closeProject } = useProject();
  const open = useDialogs((state) => state.open);
  if (!project) return null;
  const others = recent.filter(({ path, exists }) => exists && path !== project.path).slice(0, 6);
  return (
    <Menu position="bottom-start" width={280} shadow="md">
      <Menu.Target>
        <Button
          variant="subtle"
          color="gray"
          size="compact-md"
          className={classes.target}
          data-testid="project-menu"
          rightSection={<IconChevronDown size={14} />}
          title={project.path}
        >
          <span className={classes.name}>{project.name}</span>
        </Button>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Item leftSection={<IconPhotoPlus size={16} />} onClick={() => open('add-images')}>
          Add a folder of images…
        </Menu.Item>
        <Menu.Item leftSection={<IconDownload size={16} />} onClick={() => open('import')}>
          Import labels…
        </Menu.Item>
        <Menu.Item leftSection={<IconUpload size={16} />} onClick={() => open('export')}>
          Export labels…
        </Menu.Item>
        {project.missingCount > 0 && (
          <Menu.Item leftSection={<IconFileSearch size={16} />} onClick={() => open('find-moved')}>
            Find moved images… ({project.missingCount} missing)
          </Menu.Item>
        )}
        <Menu.Divider />
        <Menu.Item leftSection={<IconFolderPlus size={16} />} onClick={() => open('new-project')}>
          New project…
        </Menu.Item>
        <Menu.Item leftSection={<IconFolderOpen size={16} />} onClick={() => open('open-project')}>
          Open project…
        </Menu.Item>
        {!project.isSample && (
          <Menu.Item
            leftSection={<IconMicroscope size={16} />}
            onClick={() => beforeLeaving(() => void openSample())}
          >
            Open the sample project
          </Menu.Item>
        )}
        {others.length > 0 && <Menu.Label>Recent</Menu.Label>}
        {others.map(({ name, path }) => (
          <Menu.Item key={path} title={path} onClick={() => beforeLeaving(() => void openProject(path))}>
            <span className={classes.recent}>{name}</span>
            <span className={classes.path}>{path}</span>
          </Menu.Item>
        ))}
        <Menu.Divider />
        <Menu.Item leftSection={<IconX size={16} />} onClick={() => beforeLeaving(() => void closeProject())}>
          Close project
        </Menu.Item>
      </Menu.Dropdown>
    </Menu>
  );
}
