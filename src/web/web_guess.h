/* SPDX-License-Identifier: ISC */
/*
 * web_guess: how many links without anything behind them a network (IPv4 /24, IPv6 /48) has asked for within an
 * hour.  A fixed table; when it is full the network that asked longest ago makes room.  Any thread.
 */
#pragma once

#include "base/ip.h"

enum { GUESS_NETWORKS = 4096, GUESS_WINDOW_MS = 3600 * 1000 };

struct web_guesses;

struct web_guesses *web_guesses_new(size_t networks);
void web_guesses_free(struct web_guesses **gp);
/* 0: it may ask.  Else the seconds until it may again. */
uint64_t web_guesses_wait(struct web_guesses *g, const struct ip *ip, uint64_t most, uint64_t now_ms);
void web_guesses_add(struct web_guesses *g, const struct ip *ip, uint64_t now_ms);
