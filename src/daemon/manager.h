/* SPDX-License-Identifier: ISC */
/*
 * manager: starts, restarts and ends the other processes.  Parses nothing from
 * the network.  One thread.
 *
 * Sets everything up and stays until SIGTERM or SIGINT.  Returns the exit
 * status; when it refuses to start it says one sentence on standard error.
 */
#pragma once

int manager_serve(const char *conf_path);
