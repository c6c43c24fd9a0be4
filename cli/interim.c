int cmd_bench(int,char**);int cmd_bench(int a,char**b){return 2;}
int cmd_check(int,char**);int cmd_check(int a,char**b){return 2;}
int cmd_learn(int,char**);int cmd_learn(int a,char**b){return 2;}
int cmd_lessons(int,char**);int cmd_lessons(int a,char**b){return 2;}
