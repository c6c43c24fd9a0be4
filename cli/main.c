#include "scenario.h"
#include "sim.h"
#include "live/live.h"
#include "builtin.h"
static ScenarioOutcome out; static ScenarioSpec *spec;
static void m(void*o){ scenario_run(spec,&out,&error_fatal);}
static void sink(const ProbeEvent*e,void*o){printf("%ld T%u %s %lx %lx %lx %lx %s:%d %s\n",e->t_ns,e->thread,probe_table[e->kind].name,e->obj,e->a,e->b,e->c,e->site->file,e->site->line,e->text?e->text:"");}
int main(int argc,char**argv){
  int live = argc>1 && !strcmp(argv[1],"live"); int ep = argc>1 && !strcmp(argv[1],"epoll");
  char **n = g_strsplit(argv[2],"/",2);
  spec=scenario_spec_new(builtin_scenario_find(n[0]), n[1], &error_fatal);
  for(int i=3;i<argc;i++) scenario_spec_set(spec,argv[i],&error_fatal);
  if(live||ep){ live_start(ep?LIVE_MONITOR_EPOLL:LIVE_MONITOR_AUTO,0); m(0); live_stop(); puts("done");}
  else { if(getenv("P"))probe_start(sink,0); SimConfig c={.seed=1}; SimResult r=sim_run(&c,&sim_host,m,0); printf("outcome %d steps %lu t %ld\n",r.outcome,r.steps,r.virtual_ns);}
  for(unsigned i=0;i<out.results->len;i++){ScenarioResult *r=&g_array_index(out.results,ScenarioResult,i);printf("%s %ld\n",r->name,r->value);}
  printf("failed %u %s\n",out.failed_checks,out.first_failure);
}
