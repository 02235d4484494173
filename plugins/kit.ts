/**
 * What the module of a plugin is given. Beside the compiled binary it has nothing of this program to import.
 *
 * @module
 */
import { z } from "zod";
import { sleep } from "../base/sleep.ts";
import * as fields from "../config/fields.ts";
import { PluginOptionsWrong } from "./errors.ts";
import { options } from "./options.ts";
import { plugin } from "./plugin.ts";

export const pluginKit = { plugin, options, fields, z, sleep, PluginOptionsWrong };
export type PluginKit = typeof pluginKit;
