extern int aiolab_room_replay; int aiolab_room_replay;
